package policy

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"ldap-gateway/cloudlink/wire"
)

// TestEveryFieldThatLeavesIsTold walks the messages of an agent: a field that is
// added later is to be told of, too.
func TestEveryFieldThatLeavesIsTold(t *testing.T) {
	told := map[string]bool{}
	for _, l := range Leaves() {
		for _, f := range l.Fields {
			told[f] = false
		}
	}
	var walk func(reflect.Type)
	walk = func(typ reflect.Type) {
		for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct {
			return
		}
		if _, whole := told[typ.Name()]; whole {
			told[typ.Name()] = true
		}
		for i := range typ.NumField() {
			f := typ.Field(i)
			name := typ.Name() + "." + f.Name
			_, whole := told[typ.Name()]
			_, single := told[name]
			inner := f.Type
			for inner.Kind() == reflect.Pointer || inner.Kind() == reflect.Slice {
				inner = inner.Elem()
			}
			switch {
			case single:
				told[name] = true
			case !whole && inner.Kind() != reflect.Struct:
				t.Errorf("%s leaves, and nobody is told", name)
			}
			walk(f.Type)
		}
	}
	for _, message := range []any{
		wire.PairRequest{}, wire.PairAwait{}, wire.Assertion{}, wire.Hello{}, wire.Heartbeat{}, wire.Rotate{}, wire.UserTypesAnswer{},
		wire.SignOnResult{}, wire.PasswordChanged{}, wire.Explained{}, wire.Looked{}, wire.GoingAway{},
	} {
		walk(reflect.TypeOf(message))
	}
	for name, seen := range told {
		if !seen {
			t.Errorf("%s leaves no more: take it off the list", name)
		}
	}
}

// TestEveryPaperHasTheTable has README, SECURITY.md and the sample file show the one
// list.
func TestEveryPaperHasTheTable(t *testing.T) {
	var table, comment strings.Builder
	for _, l := range Leaves() {
		fmt.Fprintf(&table, "| %s | %s | %s |\n", l.What, l.When, quoted(l.Key))
		fmt.Fprintf(&comment, "#   %s: %s\n", l.When, l.What)
	}
	for path, want := range map[string]string{
		"../../README.md": table.String(), "../../.github/SECURITY.md": table.String(), "../../configs/samples/full.hcl": comment.String(),
	} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), want) {
			t.Errorf("%s is to have:\n%s", path, want)
		}
	}
}

func quoted(keys string) string {
	if keys == "" {
		return "–"
	}
	all := strings.Split(keys, ", ")
	slices.Sort(all)
	return "`" + strings.Join(all, "`, `") + "`"
}
