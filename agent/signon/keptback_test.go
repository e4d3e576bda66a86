package signon

import (
	"fmt"
	"reflect"
	"strings"
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
			p.Explain, p.PasswordChanges, p.FilterAttributes = true, true, []string{"cn"}
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

// TestNameThatIsPutTogether: what a filter has and what is typed may be a name together
// that neither is.
func TestNameThatIsPutTogether(t *testing.T) {
	p := agenttest.Policy()
	p.Groups.Exclude, p.FilterAttributes = []string{"cn=parent*,*"}, []string{"seeAlso", "description"}
	d := newDeskOf(t, p, agenttest.People+"dn: uid=carol,ou=people,dc=x\nobjectClass: inetOrgPerson\nuid: carol\ncn: Carol\n"+
		"sn: C\nseeAlso: cn=parent,ou=groups,dc=x\ndescription: in cn=parent,ou=groups,dc=x\nuserPassword: x\n\n")
	for i, c := range []struct{ filter, typed, other string }{
		{"(&(objectClass=*)(seeAlso=${identifier}))", "cn=parent,ou=groups,dc=x", "cn=no,ou=groups,dc=x"},
		{"(&(objectClass=*)(seeAlso=${identifier},ou=groups,dc=x))", "cn=parent", "cn=no"},
		{"(&(objectClass=*)(seeAlso=cn=${identifier}))", "parent,ou=groups,dc=x", "no,ou=groups,dc=x"},
		{"(&(objectClass=*)(seeAlso=cn=par${identifier}))", "ent,ou=groups,dc=x", "k,ou=groups,dc=x"},
		{"(&(objectClass=*)(seeAlso=c${identifier},dc=x))", "n=parent,ou=groups", "n=no,ou=groups"},
		{"(&(objectClass=*)(seeAlso=cn=${identifier},ou=groups,dc=x))", "parent", "no"},
		{"(|(uid=no)(description=in ${identifier},ou=groups,dc=x))", "cn=parent", "cn=no"},
		{"(description=*${identifier},ou=groups*)", "cn=parent", "cn=no"},
	} {
		u := agenttest.Staff()
		u.Filter = strings.Replace(c.filter, "(uid=no)", "(objectClass=no)", 1)
		d.deliver(uint64(2+i), u)
		known := d.ask(fmt.Sprint("a", i), c.typed, "wrong", revised(uint64(2+i)))
		other := d.ask(fmt.Sprint("b", i), c.other, "wrong", revised(uint64(2+i)))
		known.ID, other.ID = "", ""
		if !reflect.DeepEqual(known, other) || known.Outcome != wire.OutcomeNoSuchUser {
			t.Errorf("%s, %q: %+v; of nobody %+v", c.filter, c.typed, known, other)
		}
	}
}

// TestFiltersAskAboutNobody: what says who somebody is may be compared with what is typed
// only, so that no sign-on is a question about somebody else.
func TestFiltersAskAboutNobody(t *testing.T) {
	p := agenttest.Policy()
	p.FilterAttributes = []string{"employeeType", "cn"}
	d := newDesk(t, p)
	for i, c := range []struct {
		filter string
		taken  bool
	}{
		{"(&(uid=alice)(mail=${identifier}))", false},
		{"(|(uid=bob)(&(uid=alice)(mail=${identifier})))", false},
		{"(&(mail=alice@x.test)(uid=${identifier}))", false},
		{"(&(!(uid=bob))(mail=${identifier}))", false},
		{"(&(proxyAddresses=smtp:a@x.test)(mail=${identifier}))", false},
		{"(&(sAMAccountName:2.5.13.2:=alice)(mail=${identifier}))", false},
		{"(&(employeeNumber=7)(mail=${identifier}))", false},
		{"(&(userPrincipalName=alice@x.test)(employeeID=${identifier}))", false},
		{"(&(uid=alice)(cn=${identifier}))", false},
		{"(&(uid=user00001${identifier})(mail=user1@x.test${identifier}))", false},
		{"(&(uid=alic${identifier})(mail=${identifier}))", false},
		{"(|(mail=${identifier}lice@x.test)(uid=${identifier}))", false},
		{"(|(mail=alice@${identifier})(uid=${identifier}))", false},
		{"(|(uid=${identifier}${identifier})(uid=${identifier}))", false},
		{"(|(sAMAccountName=${identifier})(userPrincipalName=${identifier}@corp.x.test)(mail=smtp:${identifier}@x))", true},
		{`(|(uid=CORP\5c${identifier})(uid=${identifier}))`, true},
		{"(|(uid=${identifier})(mail=${identifier}@x.test)(proxyAddresses=smtp:${identifier}))", true},
		{"(&(objectClass=person)(uid=${identifier})(!(userAccountControl:1.2.840.113556.1.4.803:=2)))", true},
		{"(&(objectCategory=person)(mail=*)(uid=${identifier}))", true},
		{"(&(employeeType=staff)(uid=${identifier}))", true},
		{"(&(cn=Alice)(uid=${identifier}))", true}, // the file lets it
	} {
		u := agenttest.Staff()
		u.Filter = c.filter
		a := d.UserTypes(wire.UserTypes{Revision: uint64(2 + i), Types: []wire.UserType{u}})
		if taken := len(a.Refused) == 0; taken != c.taken {
			t.Errorf("%s: taken %v, %v", c.filter, taken, a.Refused)
		}
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
