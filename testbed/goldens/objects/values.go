package main

import (
	"math"
	"strings"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// The values at which a decoder's rules turn. Every list is walked through by the edge cases and drawn from at random.

var edgeStrings = []string{
	"",
	"plain",
	`<a href="x">Tom & 'Jerry'</a>`,
	"line\u2028paragraph\u2029end",
	"tab\t newline\n return\r backspace\b feed\f nul\x00 one\x01 unit\x1f del\x7f",
	`quote " backslash \ slash / \u0041`,
	"é漢字😀 \u0085\u00a0\ufeff\ufffd\U0010ffff",
	"stray \xff\xfe bytes",
	"cut off \xe6\xbc",
	"surrogate \xed\xa0\x80 overlong \xc0\xaf too far \xf4\x90\x80\x80",
	"null",
	"1e3",
	" spaces around ",
	strings.Repeat("long ", 20),
}

// edgeKeys sort otherwise by bytes than by UTF-16 units, by letters or as paths.
var edgeKeys = []string{"b", "B", "a.b", "a", "a/b", "10", "9", "é", "\uffee", "😀", "<k>", "\u2028", "", "a\x00b", "zz", "bad\xff"}

var edgeInts = []int64{
	0, 1, -1, 127, 128, -129, math.MaxInt32, math.MinInt32, math.MaxInt64, math.MinInt64, 1<<53 + 1, -(1<<53 + 1), 300,
}

var edgeFloats = []float64{
	0, math.Copysign(0, -1), 1, -1.5, 0.1, 1e20, 1e21, 123456789.125, 1e-6, 9.999e-7, 1e-7, 1e-10, math.MaxFloat64,
	math.SmallestNonzeroFloat64, 9007199254740993, 1e15, -1e100, 9223372036854775808,
}

var edgeBytes = [][]byte{{}, {0}, []byte("ab"), []byte("abc"), []byte("\xfb\xff\xfe"), everyByte(), []byte("<&>\n")}

func everyByte() []byte {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	return all
}

// edgeQuantities are in every form a person may write; their types write them back in the canonical one.
var edgeQuantities = []string{
	"0", "1", "-1", "100m", "1000m", "1500m", "0.5", "1.5", "1e3", "1E3", "5e-1", "1k", "1000k", "1M", "1G", "1T", "1P", "1E",
	"1Ki", "1024Ki", "1.5Gi", "0.5Mi", "1Ti", "1Pi", "1Ei", "8Ei", "1n", "1500n", "1u", "0.0000000001", "-0.0000000001",
	"9223372036854775807", "-9223372036854775807", "9223372036854775808", "12345678901234567890123", "1e20", "123.456789",
	"+1", ".5", "1.", "00012", "1.2345678901234Ki", "-1.5Gi", "999999999999999999999n",
}

var edgeTimes = []time.Time{
	{},
	time.Unix(0, 0),
	time.Date(2026, 11, 21, 10, 0, 0, 123456789, time.UTC),
	time.Date(2026, 11, 21, 10, 0, 0, 999999999, time.FixedZone("", 5*3600+1800)),
	time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC),
	time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
	time.Date(1969, 12, 31, 23, 59, 59, 500000, time.UTC),
	time.Date(2024, 2, 29, 23, 59, 59, 1000, time.UTC),
	time.Date(1900, 3, 1, 0, 0, 0, 0, time.UTC),
}

var edgeDurations = []time.Duration{
	0, 1, 999, time.Microsecond, 10500, time.Millisecond, 1500 * time.Microsecond, time.Second, 3500 * time.Millisecond, time.Minute,
	time.Hour + 2*time.Minute + 3500*time.Millisecond, -time.Second, 100 * time.Hour, math.MaxInt64, math.MinInt64,
}

var edgeIntOrStrings = []intstr.IntOrString{
	{}, intstr.FromInt(80), intstr.FromInt(-1), {IntVal: math.MaxInt32}, {IntVal: math.MinInt32},
	intstr.FromString(""), intstr.FromString("25%"), intstr.FromString("http"), intstr.FromString("80"), intstr.FromString("<&>\u2028"),
}

// edgeJSON is what objects carry as JSON of their own: kept as written on the wire, parsed and sorted by kubectl.
var edgeJSON = []string{
	`{}`,
	`{"kind":"Inner","apiVersion":"example.com/v1","z":1,"a":{"y":[1,2.50,-0,1e2,1E-7],"x":null}}`,
	" {\n\t\"spaced\" : [ 1 , 2 ] }\r\n",
	`{"html":"<&>","sep":"` + "\u2028" + `","escaped":"\u003c\u0041\ud83d\ude00\/"}`,
	`{"big":9223372036854775807,"bigger":9223372036854775808,"small":-9223372036854775808,"deep":[[[[{}]]]]}`,
	`{"one":1.0,"twice":1,"twice":2,"float":123456789.125,"huge":1e300}`,
	`"text"`, `true`, `12`, `1.50`, `[]`, `[{"b":1,"a":2},null,"x"]`,
}

func edgeRawExtensions() []runtime.RawExtension {
	list := []runtime.RawExtension{{}}
	for _, text := range edgeJSON {
		list = append(list, runtime.RawExtension{Raw: []byte(text)})
	}
	for _, raw := range cborExtensions {
		list = append(list, runtime.RawExtension{Raw: raw})
	}
	return list
}

func edgeSchemaJSON() []apiextensionsv1.JSON {
	list := []apiextensionsv1.JSON{{}}
	for _, text := range edgeJSON {
		list = append(list, apiextensionsv1.JSON{Raw: []byte(text)})
	}
	return list
}

func edgeFields() []metav1.FieldsV1 {
	list := []metav1.FieldsV1{{}}
	for _, text := range []string{
		`{"f:metadata":{"f:labels":{".":{},"f:app":{}}},"f:spec":{"f:replicas":{}}}`,
		`{"f:z":{},"f:a":{"k:{\"name\":\"x\"}":{".":{},"f:<b>":{}}}}`,
		`{ "f:spaced" : { } }`,
		`{}`,
	} {
		list = append(list, metav1.FieldsV1{Raw: []byte(text)})
	}
	for _, raw := range cborFields {
		list = append(list, metav1.FieldsV1{Raw: raw})
	}
	return list
}
