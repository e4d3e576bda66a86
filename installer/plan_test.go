package installer

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
)

// machine is a machine of named things, for steps that make them.
type machine struct {
	has []string
	did []string
}

func (m *machine) step(name string, fail error) Step {
	return Step{Name: name,
		Done: func(context.Context) (bool, error) { return slices.Contains(m.has, name), nil },
		Apply: func(context.Context) error {
			m.did = append(m.did, name)
			if fail == nil {
				m.has = append(m.has, name)
			}
			return fail
		},
		Undo: func(context.Context) error {
			m.did = append(m.did, "un"+name)
			m.has = slices.DeleteFunc(m.has, func(h string) bool { return h == name })
			return nil
		}}
}

func TestShownPlanChangesNothing(t *testing.T) {
	m := &machine{has: []string{"a"}}
	var out bytes.Buffer
	if err := (Plan{m.step("a", nil), m.step("b", nil)}).Show(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	if out.String() != "done   a\nwould  b\n" || m.did != nil {
		t.Errorf("%q %v", &out, m.did)
	}
}

func TestAppliedAgainFinishes(t *testing.T) {
	m := &machine{has: []string{"a"}}
	for range 2 {
		if err := (Plan{m.step("a", nil), m.step("b", nil)}).Apply(t.Context(), &bytes.Buffer{}); err != nil {
			t.Fatal(err)
		}
	}
	if strings.Join(m.did, " ") != "b" {
		t.Error(m.did)
	}
}

func TestFailedStepUndoesThisRunOnly(t *testing.T) {
	m := &machine{has: []string{"a"}}
	broken := errors.New("broken")
	err := Plan{
		m.step("a", nil),
		m.step("b", nil),
		m.step("c", nil),
		m.step("d", broken),
		m.step("e", nil),
	}.Apply(t.Context(), &bytes.Buffer{})
	if !errors.Is(err, broken) || !strings.HasPrefix(err.Error(), "d: ") {
		t.Error(err)
	}
	if strings.Join(m.did, " ") != "b c d und unc unb" || strings.Join(m.has, " ") != "a" {
		t.Error(m.did, m.has)
	}
}
