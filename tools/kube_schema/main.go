// Program kube_schema prints Tidemark's table of Kubernetes API types.
//
//	kube_schema                         the table of the one minor that it was built against, found by reflection
//	kube_schema merge TABLE...          the union of such tables as a C++ literal, for src/kube/schema_table.inc
//	kube_schema contains UNION TABLE    fails unless the union says all that the table of one minor says
//
// README.md beside this file has the table's format; `make` beside it does all of the above for every minor.
package main

import (
	"fmt"
	"os"
	"strings"

	"tidemark.test/kube_schema/table"
	"tidemark.test/kube_schema/walk"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "kube_schema:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 0:
		return printThisMinor()
	case args[0] == "merge" && len(args) > 1:
		return merge(args[1:])
	case args[0] == "contains" && len(args) == 3:
		return contains(args[1], args[2])
	default:
		return fmt.Errorf("usage: kube_schema | kube_schema merge TABLE... | kube_schema contains UNION TABLE")
	}
}

func printThisMinor() error {
	minor, err := minorOfModules()
	if err != nil {
		return err
	}
	roots, err := objects()
	if err != nil {
		return err
	}
	found, err := walk.Objects(roots, specials())
	if err != nil {
		return err
	}
	if err := found.Prove(); err != nil {
		return err
	}
	found.Table.First, found.Table.Last = minor, minor
	fmt.Print(found.Table)
	return nil
}

func merge(paths []string) error {
	var tables []*table.Table
	for _, path := range paths {
		each, err := table.Read(path)
		if err != nil {
			return err
		}
		tables = append(tables, each)
	}
	union, err := table.Merge(tables)
	if err != nil {
		return err
	}
	fmt.Print(table.Literal(union.String()))
	return nil
}

func contains(unionPath, onePath string) error {
	union, err := table.Read(unionPath)
	if err != nil {
		return err
	}
	one, err := table.Read(onePath)
	if err != nil {
		return err
	}
	if missing := union.Lacks(one); len(missing) > 0 {
		return fmt.Errorf("%s lacks what %s has:\n  %s", unionPath, onePath, strings.Join(missing, "\n  "))
	}
	return nil
}
