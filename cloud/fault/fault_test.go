package fault_test

import (
	"errors"
	"fmt"
	"testing"

	"ldap-gateway/cloud/fault"
)

// A list is an error when something is wrong, and none when nothing is; callers find it
// in whatever wraps it.
func TestListAsAnError(t *testing.T) {
	var nothing fault.List
	if err := nothing.Err(); err != nil {
		t.Error(err)
	}
	l := append(fault.Of(fault.Name, fault.Missing, "Give it a name."), fault.Of(fault.Role, fault.Invalid, "Choose a role.")...)
	err := fmt.Errorf("not kept: %w", l.Err())
	var found fault.List
	if !errors.As(err, &found) || len(found) != 2 || found[1].Field != fault.Role {
		t.Errorf("%+v", found)
	}
	if l.Error() != "Give it a name. Choose a role." {
		t.Error(l.Error())
	}
	if errors.Is(err, errors.New("x")) { // comparing it with others is no panic
		t.Error("it is another error")
	}
}

// Every value is listed once, under a name of its own.
func TestFields(t *testing.T) {
	seen := map[fault.Field]bool{}
	for _, f := range fault.Fields() {
		if seen[f] {
			t.Errorf("%q is there twice", f)
		}
		seen[f] = true
	}
}
