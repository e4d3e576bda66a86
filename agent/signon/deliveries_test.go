package signon

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"ldap-gateway/agent/agenttest"
	"ldap-gateway/cloudlink/wire"
)

// asking is a user type that asks whether somebody is of a kind.
func asking(value string) wire.UserType {
	u := agenttest.Staff()
	u.Filter = "(&(uid=${identifier})(objectClass=" + value + "))"
	return u
}

func admitted(taken []bool) (n int) {
	for _, one := range taken {
		if one {
			n++
		}
	}
	return n
}

// TestChangesAreFew has a cloud guess an attribute by changing a user type, over
// links that follow each other.
func TestChangesAreFew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d Deliveries
		first := make([]wire.UserType, 300)
		for i := range first {
			first[i] = asking(fmt.Sprint("first", i))
		}
		if n := admitted(d.admit(first, 20)); n != len(first) || d.Refused() {
			t.Errorf("%d of the first delivery", n)
		}
		guesses := 0
		for i := range 6000 {
			guesses += admitted(d.admit([]wire.UserType{asking(fmt.Sprint("guess", i))}, 20))
			time.Sleep(time.Second / 10)
		}
		if guesses < 20 || guesses > 24 || !d.Refused() {
			t.Errorf("%d guesses in ten minutes", guesses)
		}
		if n := admitted(d.admit([]wire.UserType{first[7], first[0]}, 20)); n != 2 {
			t.Errorf("%d of 2 that were taken before", n)
		}
		time.Sleep(2 * time.Hour)
		if n := admitted(d.admit([]wire.UserType{asking("an-honest-change")}, 20)); n != 1 || d.Refused() {
			t.Error("a change is refused for ever")
		}
		if len(d.have) > mostHashes+mostTypes {
			t.Error(len(d.have))
		}
	})
}

// TestStartIsNoChange: what is delivered after another start counts as before, but for
// what the program before took.
func TestStartIsNoChange(t *testing.T) {
	before := []wire.UserType{asking("a"), asking("b")}
	var d Deliveries
	d.Know(before)
	many := before
	for i := range 100 {
		many = append(many, asking(fmt.Sprint("new", i)))
	}
	if n := admitted(d.admit(many, 20)); n != 22 || !d.Refused() {
		t.Errorf("%d taken, of which 2 were before and 20 an hour may be new", n)
	}
	d = Deliveries{}
	d.Know(nil)
	if n := admitted(d.admit(many, 20)); n != 20 {
		t.Errorf("%d taken after a program that was delivered none", n)
	}
}

// TestRefusedChangeIsTold has the answer name the key, and the type not be served.
func TestRefusedChangeIsTold(t *testing.T) {
	p := agenttest.Policy()
	p.UserTypeChangesPerHour = 1
	d := newDesk(t, p)
	u := asking("a")
	if a := d.UserTypes(wire.UserTypes{Revision: 2, Types: []wire.UserType{u}}); len(a.Refused) != 0 {
		t.Fatalf("%+v", a)
	}
	a := d.UserTypes(wire.UserTypes{Revision: 3, Types: []wire.UserType{asking("b")}})
	if len(a.Refused) != 1 || a.Refused[0].Reasons[0] != tooOften(1) || a.Refused[0].RetryMillis != 3_600_000 {
		t.Fatalf("%+v", a)
	}
	searches := d.server.Searches()
	r := d.ask("1", "alice", "wonderland", func(m *wire.SignOn) { m.Revision = 3 })
	if r.Outcome != wire.OutcomeNotAllowed || d.server.Searches() != searches {
		t.Errorf("%+v, %d searches", r, d.server.Searches()-searches)
	}
}

// What is said of user types that are refused fits into a frame, however much is wrong
// with however many.
func TestRefusalsFitIntoAFrame(t *testing.T) {
	file := agenttest.Policy()
	file.UserTypeChangesPerHour = 10 * mostTypes
	d := newDesk(t, file)
	types := make([]wire.UserType, mostTypes)
	for i := range types {
		types[i] = agenttest.Staff()
		types[i].ID, types[i].Attributes = fmt.Sprint("type-", i), nil
		for a := range 256 {
			types[i].Attributes = append(types[i].Attributes, fmt.Sprint("unheardOf", a))
		}
	}
	a := d.UserTypes(wire.UserTypes{Revision: 2, Types: types})
	b, err := wire.Marshal(a)
	if err != nil || len(b) > wire.MaxFrame || len(a.Refused) != mostTypes {
		t.Fatalf("%d bytes about %d user types, %v", len(b), len(a.Refused), err)
	}
	reasons := a.Refused[0].Reasons
	if len(reasons) != mostReasons+1 || reasons[mostReasons] != "and 248 more" || !utf8.ValidString(reasons[0]) {
		t.Errorf("%q", reasons)
	}
}
