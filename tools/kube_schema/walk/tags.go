package walk

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"tidemark.test/kube_schema/table"
)

// protobufTag takes the number out of `bytes,3,opt,name=labels`. All else in it is written by hand and not always true:
// the int32 of a PriorityClass is said to be `bytes`, and some maps `opt`. What is on the wire hangs on the Go type.
func protobufTag(tag string) (int, error) {
	parts := strings.Split(tag, ",")
	if len(parts) < 3 {
		return 0, fmt.Errorf("its protobuf tag is %q", tag)
	}
	number, err := strconv.Atoi(parts[1])
	if err != nil || number < 1 {
		return 0, fmt.Errorf("its protobuf tag is %q", tag)
	}
	return number, nil
}

// jsonTag sets what the field is in JSON, by the rules of encoding/json: without a name an embedded struct is inline,
// and any other field has its Go name. The option `inline` means nothing to encoding/json.
func jsonTag(goField reflect.StructField, field *table.Field) error {
	tag := goField.Tag.Get("json")
	if tag == "-" {
		field.JSON, field.Hidden = "-", true
		return nil
	}
	name, options, _ := strings.Cut(tag, ",")
	goType := goField.Type
	if goType.Kind() == reflect.Pointer {
		goType = goType.Elem()
	}
	switch {
	case name != "":
		field.JSON = name
	case goField.Anonymous && goType.Kind() == reflect.Struct:
		field.JSON, field.Inline = "-", true
	default:
		field.JSON = goField.Name
	}
	if strings.ContainsAny(field.JSON, " \n\"\\") || (field.JSON == "-" && !field.Inline) {
		return fmt.Errorf("its JSON name %q has no place in the table", field.JSON)
	}
	for option := range strings.SplitSeq(options, ",") {
		switch option {
		case "", "inline":
		case "omitempty":
			field.OmitEmpty = table.Always
		case "omitzero":
			field.OmitZero = table.Always
		default:
			return fmt.Errorf("its JSON tag has the option %q", option)
		}
	}
	if field.Inline { // encoding/json looks at its fields' options instead
		field.OmitEmpty, field.OmitZero = table.When{}, table.When{}
	}
	return nil
}
