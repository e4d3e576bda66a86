package signon

import (
	"testing"

	"ldap-gateway/agent/agenttest"
	"ldap-gateway/cloudlink/wire"
)

// TestGroupKeptBackIsNobody: a group that does not leave is found as nobody, in the words
// for what is not there, whatever keeps it back and however the filter finds it.
func TestGroupKeptBackIsNobody(t *testing.T) {
	for name, change := range map[string]struct {
		exclude, include, bases []string
	}{
		"excluded":   {exclude: []string{"cn=parent,*"}},
		"below-one":  {exclude: []string{"ou=groups,*"}},
		"all":        {exclude: []string{"*"}},
		"not-among":  {include: []string{"cn=cloud-*,*"}},
		"other-base": {bases: []string{"ou=elsewhere,dc=x"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := agenttest.Policy()
			p.Explain, p.PasswordChanges = true, true
			p.Groups.Exclude, p.Groups.Include = change.exclude, change.include
			if change.bases != nil {
				p.Groups.SearchBases = change.bases
			}
			d := newDesk(t, p)
			u := agenttest.Staff()
			u.SearchBase, u.ChangePasswords = "dc=x", true
			u.Attributes, u.Correlation = []string{"cn", "description"}, []string{"cn"}
			for i, filter := range []string{"(cn=${identifier})", "(&(cn=${identifier})(objectClass=*))"} {
				u.Filter = filter
				d.deliver(uint64(2+i), u)
				d.wantNobody(uint64(2+i), "parent")
			}
			u.Filter = "(|(uid=${identifier})(cn=parent))"
			d.deliver(4, u)
			if r := d.ask("a4", "alice", "wonderland", revised(4)); r.Outcome != wire.OutcomeOK {
				t.Errorf("beside groups that are kept back: %+v", r)
			}
			d.wantNobody(4, "nosuch")
		})
	}
}

func TestGroupThatMayLeaveIsStillFound(t *testing.T) {
	p := agenttest.Policy()
	p.Groups.Exclude = []string{"cn=child,*"}
	d := newDesk(t, p)
	u := agenttest.Staff()
	u.SearchBase, u.Filter = "dc=x", "(cn=${identifier})"
	d.deliver(2, u)
	if r := d.ask("1", "parent", "x", revised(2)); r.Outcome != wire.OutcomeInvalidCredentials {
		t.Errorf("%+v", r)
	}
}

func revised(revision uint64) func(*wire.SignOn) {
	return func(m *wire.SignOn) { m.Revision = revision }
}

func (d *desk) deliver(revision uint64, u wire.UserType) {
	d.t.Helper()
	if a := d.UserTypes(wire.UserTypes{Revision: revision, Types: []wire.UserType{u}}); len(a.Refused) > 0 {
		d.t.Fatal(a.Refused)
	}
}

// wantNobody asks in every way for somebody, and for a name that nothing has: there is no
// difference, and no bind.
func (d *desk) wantNobody(revision uint64, who string) {
	d.t.Helper()
	nothing := "no-such-name"
	got := d.ask("s"+who+string(rune('0'+revision)), who, "x", revised(revision))
	want := d.ask("n"+who+string(rune('0'+revision)), nothing, "x", revised(revision))
	got.ID, want.ID = "", ""
	if got.Outcome != wire.OutcomeNoSuchUser || got.BindSent || got.Reason != want.Reason {
		d.t.Errorf("%s signs on: %+v, and what is not there: %+v", who, got, want)
	}
	known := d.ask("k"+who+string(rune('0'+revision)), nothing, "x", revised(revision), func(m *wire.SignOn) {
		m.Known = []wire.Correlation{{Attribute: "cn", Value: who}}
	})
	if known.Outcome != wire.OutcomeNoSuchUser || known.Reason != want.Reason {
		d.t.Errorf("%s is known: %+v", who, known)
	}
	id := "c" + who + string(rune('0'+revision))
	c, _ := d.ChangePassword(d.t.Context(), wire.ChangePassword{
		ID: id, UserType: "staff", Revision: revision, Identifier: who,
		Old: d.sealer.Seal(wire.OldPassword(id), []byte("x")), New: d.sealer.Seal(wire.NewPassword(id), []byte("y")),
	})
	if c.Outcome != wire.OutcomeNoSuchUser || c.BindSent || c.Reason != want.Reason {
		d.t.Errorf("%s changes a password: %+v", who, c)
	}
	e, _ := d.Explain(d.t.Context(), wire.Explain{ID: "e", UserType: "staff", Revision: revision, Identifier: who})
	if e.Outcome != wire.OutcomeNoSuchUser || e.Entry != nil || e.Reason != want.Reason {
		d.t.Errorf("%s explained: %+v", who, e)
	}
}
