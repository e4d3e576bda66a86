package wire

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// TestEveryAnswerFits into a frame, whatever a directory holds; what is left aside makes a
// list partial, and is never taken for what is not there.
func TestEveryAnswerFits(t *testing.T) {
	groups := func(n, dn, name int) *Membership {
		m := &Membership{Verdict: VerdictComplete, Whole: true}
		for i := range n {
			m.Groups = append(m.Groups, Group{
				DN:   fmt.Sprintf("cn=%d,%s", i, strings.Repeat("x", dn)),
				Name: strings.Repeat("ü", name/2),
			})
		}
		return m
	}
	for name, c := range map[string]struct {
		m     *Membership
		whole bool
	}{
		"few":              {groups(100, 60, 20), true},
		"ten thousand":     {groups(10_000, 60, 40), true},
		"a long name":      {groups(1, 60, 5<<20), true}, // the name alone is cut
		"a long DN":        {groups(1, 5<<20, 10), false},
		"hundred thousand": {groups(100_000, 60, 40), false},
		"long names":       {groups(10_000, 60, 4000), false},
	} {
		attributes := map[string][]string{}
		for i := range 100 {
			attributes[fmt.Sprint("a", i)] = []string{strings.Repeat("x", 64<<10)}
		}
		r := SignOnResult{Membership: c.m, Entry: &Entry{Attributes: attributes}}.Fitted()
		for kind, body := range map[Kind]any{
			KindSignOnResult: r,
			KindExplained:    Explained{Membership: c.m, Entry: r.Entry, Skipped: make([]Skipped, 100_000)}.Fitted(),
		} {
			f, err := NewFrame(kind, 1, 0, body)
			if err == nil {
				_, err = f.Encode()
			}
			if err != nil {
				t.Errorf("%s: %s: %v", name, kind, err)
			}
		}
		got := r.Membership
		if complete := got.Verdict == VerdictComplete && got.Whole && len(got.Groups) == len(c.m.Groups); complete != c.whole {
			t.Errorf("%s: %d of %d groups, %v, %q", name, len(got.Groups), len(c.m.Groups), got.Verdict, got.Reason)
		}
		if len(r.Entry.Attributes)+len(r.Entry.TooLarge) != 100 || len(r.Entry.TooLarge) == 0 {
			t.Errorf("%s: %d attributes and %d that are too large", name, len(r.Entry.Attributes), len(r.Entry.TooLarge))
		}
		if len(c.m.Groups[0].Name) > mostGroupName && c.m.Groups[0].Name == got.Groups[0].Name {
			t.Error("what was given was changed, or nothing was cut")
		}
	}
	unknown := groups(100_000, 60, 40)
	unknown.Verdict = VerdictUnknown
	if got := unknown.fitted(); got.Verdict != VerdictUnknown {
		t.Errorf("an unknown list became %v", got.Verdict)
	}
	if (SignOnResult{}).Fitted().Membership != nil {
		t.Error("there is a membership where none was")
	}
}

// TestCloudsAskLittle: of a delivery that no cloud sends nothing is made.
func TestCloudsAskLittle(t *testing.T) {
	for n, good := range map[int]bool{0: true, 1000: true, 10_000: true, 20_000: false, 260_000: false} {
		f, err := NewFrame(KindUserTypes, 1, 0, UserTypes{Revision: 7, Types: make([]UserType, n)})
		if err != nil {
			t.Fatal(err)
		}
		m, err := f.DecodeUserTypes()
		if (err == nil) != good || good && (len(m.Types) != n || m.Revision != 7) || !good && cap(m.Types) > 0 {
			t.Errorf("%d types: %v, %d were made", n, err, cap(m.Types))
		}
	}
}

// TestListsOfADeliveryAreRead as far as an agent needs to refuse them, however long.
func TestListsOfADeliveryAreRead(t *testing.T) {
	long := make([]string, 100_000)
	types := make([]UserType, 2000)
	for i := range types {
		types[i] = UserType{ID: fmt.Sprint(i), Name: "x", Filter: "(uid=${identifier})", Attributes: []string{"mail"}}
	}
	types[3].Attributes, types[3].Correlation = long, long
	types[4].Groups = &GroupRule{Include: long, Exclude: long[:200]}
	f, err := NewFrame(KindUserTypes, 1, 0, UserTypes{Revision: 7, Types: types})
	if err != nil {
		t.Fatal(err)
	}
	m, err := f.DecodeUserTypes()
	if err != nil || len(m.Types) != len(types) || m.Revision != 7 {
		t.Fatalf("%d types, %v", len(m.Types), err)
	}
	for i, got := range m.Types {
		names := len(got.Attributes) + len(got.Correlation)
		if got.Groups != nil {
			names += len(got.Groups.Include) + len(got.Groups.Exclude)
		}
		if got.ID != types[i].ID || names > 2*readNames || cap(got.Attributes) > 2*readNames {
			t.Fatalf("type %d: ID %q, %d names", i, got.ID, names)
		}
		if i < 3 && !reflect.DeepEqual(got, types[i]) || i > readUserTypes && got.Filter != "" {
			t.Errorf("type %d: %+v", i, got)
		}
	}
	if m.Types[3].Attributes = nil; len(m.Types[4].Groups.Exclude) != 200 || len(m.Types[4].Groups.Include) != readNames {
		t.Errorf("%d and %d patterns", len(m.Types[4].Groups.Exclude), len(m.Types[4].Groups.Include))
	}
}
