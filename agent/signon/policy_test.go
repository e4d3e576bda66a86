package signon

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ldap-gateway/agent/agenttest"
	"ldap-gateway/agent/policy"
	"ldap-gateway/cloudlink/wire"
	"ldap-gateway/configs"
)

func TestRefusedTypeIsNotServed(t *testing.T) {
	d := newDesk(t, agenttest.Policy())
	bad := agenttest.Staff()
	bad.ID, bad.SearchBase = "bad", "dc=elsewhere"
	a := d.UserTypes(wire.UserTypes{Revision: 2, Types: []wire.UserType{agenttest.Staff(), bad}})
	if len(a.Refused) != 1 || a.Refused[0].ID != "bad" {
		t.Fatalf("%+v", a)
	}
	if r := d.ask("1", "alice", "wonderland", func(m *wire.SignOn) { m.UserType = "bad" }); r.Outcome != wire.OutcomeNotAllowed || !strings.Contains(r.Reason, "search base") {
		t.Errorf("%+v", r)
	}
	if r := d.ask("2", "alice", "wonderland"); r.Outcome != wire.OutcomeOK {
		t.Errorf("%+v", r)
	}
}

func TestObserveChangesNothing(t *testing.T) {
	file := agenttest.Policy()
	file.Observe = true
	d := newDesk(t, file)
	r := d.ask("1", "alice", "wonderland")
	if r.Outcome != wire.OutcomeOK || r.Entry.DN != agenttest.AliceDN || r.Entry.Attributes != nil {
		t.Errorf("%+v, leaves %+v", r, r.Entry)
	}
	m := r.Membership
	if m == nil || m.Verdict != wire.VerdictUnknown || len(m.Groups) != 0 || !strings.Contains(m.Reason, "observe: would push 1 groups: cn=child") {
		t.Errorf("%+v", m)
	}
	if r := d.ask("2", "alice", "wrong"); r.Outcome != wire.OutcomeInvalidCredentials {
		t.Errorf("the password is not checked: %+v", r)
	}
	if lines := strings.Join(d.Policy.Describe(), "\n"); !strings.Contains(lines, "observe: ") || d.Policy.Hash() == newDesk(t, agenttest.Policy()).Policy.Hash() {
		t.Error(lines)
	}
}

func TestObservedNeverCountsAsAnAnswer(t *testing.T) {
	many := &wire.Membership{Verdict: wire.VerdictComplete}
	for i := range 5000 {
		many.Groups = append(many.Groups, wire.Group{DN: fmt.Sprintf("cn=%d,dc=x", i)})
	}
	for name, c := range map[string]struct {
		m      *wire.Membership
		reason string
	}{
		"no-rule":  {nil, "asks for no groups"},
		"unknown":  {&wire.Membership{Verdict: wire.VerdictUnknown, Reason: "size limit"}, "would push nothing: size limit"},
		"complete": {&wire.Membership{Verdict: wire.VerdictComplete}, "would push 0 groups"},
		"many":     {many, "and 4990 more"},
	} {
		t.Run(name, func(t *testing.T) {
			if o := observed(c.m); o.Verdict != wire.VerdictUnknown || len(o.Groups) != 0 || !strings.Contains(o.Reason, c.reason) || len(o.Reason) > 1000 {
				t.Errorf("%+v", o)
			}
		})
	}
}

func TestSignOnsOfOnePersonAreLimited(t *testing.T) {
	file := agenttest.Policy()
	file.SignOnsPerPerson = 3
	d := newDesk(t, file)
	for i := range 5 {
		r := d.ask(fmt.Sprint(i), []string{"alice", "ALICE"}[i%2], "wonderland")
		if want := map[bool]wire.Outcome{true: wire.OutcomeOK, false: wire.OutcomeNotAllowed}[i < 3]; r.Outcome != want || r.BindSent != (i < 3) {
			t.Errorf("%d: %+v", i, r)
		}
	}
	if r := d.ask("bob", "bob", "builder"); r.Outcome != wire.OutcomeOK || d.server.Binds(agenttest.AliceDN) != 3 {
		t.Errorf("%d binds, %+v", d.server.Binds(agenttest.AliceDN), r)
	}
}

func TestAPersonsMinuteEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p Persons
		if !p.allow("a", 1) || p.allow("A", 1) || !p.allow("b", 1) || !p.allow("a", 0) {
			t.Error("the first minute")
		}
		time.Sleep(time.Minute)
		if !p.allow("a", 1) {
			t.Error("the second minute")
		}
		for i := range guardMost + 10 {
			p.allow(fmt.Sprint(i), 1)
		}
		if len(p.people) > guardMost {
			t.Error(len(p.people))
		}
	})
}

func newPolicy(t *testing.T, change func(*configs.Policy)) *policy.Policy {
	t.Helper()
	file := agenttest.Policy()
	if change != nil {
		change(&file)
	}
	p, err := policy.New(file)
	agenttest.Must(t, err)
	return p
}

// TestUserTypesBeyondThePolicy has a cloud reach further than the file allows.
func TestUserTypesBeyondThePolicy(t *testing.T) {
	p := newPolicy(t, func(c *configs.Policy) {
		c.SearchBases, c.Groups.SearchBases = []string{"OU=People, DC=x"}, []string{"ou=groups,dc=x"}
		c.Attributes, c.FilterAttributes = []string{"badgeNumber"}, []string{"badgeNumber"}
	})
	for name, c := range map[string]struct {
		change func(*wire.UserType)
		reason string // empty: allowed
	}{
		"as-it-is":            {func(*wire.UserType) {}, ""},
		"below-the-base":      {func(u *wire.UserType) { u.SearchBase = "ou=a,ou=people,dc=x" }, ""},
		"above-the-base":      {func(u *wire.UserType) { u.SearchBase = "dc=x" }, "search base"},
		"beside-the-base":     {func(u *wire.UserType) { u.SearchBase = "ou=people2,dc=x" }, "search base"},
		"suffix-trick":        {func(u *wire.UserType) { u.SearchBase = `cn=a\,ou=people,dc=x` }, "search base"},
		"empty-base":          {func(u *wire.UserType) { u.SearchBase = "" }, ""},
		"no-dn":               {func(u *wire.UserType) { u.SearchBase = "people" }, "DN"},
		"group-base":          {func(u *wire.UserType) { u.Groups.SearchBase = "dc=x" }, "group search base"},
		"attribute":           {func(u *wire.UserType) { u.Attributes = []string{"userPassword"} }, `"userPassword" may not leave`},
		"named-attribute":     {func(u *wire.UserType) { u.Attributes = []string{"BADGENUMBER"} }, ""},
		"all-attributes":      {func(u *wire.UserType) { u.Attributes = []string{"*"} }, "*"},
		"operational":         {func(u *wire.UserType) { u.Attributes = []string{"+"} }, "+"},
		"option":              {func(u *wire.UserType) { u.Attributes = []string{"userPassword;binary"} }, "may not leave"},
		"correlation":         {func(u *wire.UserType) { u.Correlation = []string{"userPassword"} }, "may not leave"},
		"group-name":          {func(u *wire.UserType) { u.Groups.NameAttribute = "unicodePwd" }, "may not leave"},
		"filter-password":     {func(u *wire.UserType) { u.Filter = "(&(uid=${identifier})(userPassword=a*))" }, `filter names "userPassword"`},
		"filter-hidden":       {func(u *wire.UserType) { u.Filter = "(|(uid=${identifier})(&(!(userPassword=*))))" }, `userPassword`},
		"filter-named":        {func(u *wire.UserType) { u.Filter = "(badgeNumber=${identifier})" }, ""},
		"filter-extensible":   {func(u *wire.UserType) { u.Filter = "(&(uid=${identifier})(userPassword:2.5.13.17:=a))" }, "userPassword"},
		"filter-any":          {func(u *wire.UserType) { u.Filter = "(&(uid=${identifier})(:2.5.13.2:=a))" }, ""},
		"filter-no-person":    {func(u *wire.UserType) { u.Filter = "(uid=alice)" }, "identifier"},
		"filter-bad":          {func(u *wire.UserType) { u.Filter = "(uid=${identifier}" }, ""},
		"identifier-as-name":  {func(u *wire.UserType) { u.Filter = "(${identifier}=x)" }, ""},
		"without-correlation": {func(u *wire.UserType) { u.Correlation = nil }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			u := agenttest.Staff()
			c.change(&u)
			compiled, reasons := Compile(p, u)
			all := strings.Join(reasons, "; ")
			mustRefuse := c.reason != "" || slices.Contains([]string{"filter-any", "filter-bad", "identifier-as-name"}, name)
			if mustRefuse != (len(reasons) > 0) || !strings.Contains(all, c.reason) {
				t.Errorf("reasons %q, compiled %v", all, compiled != nil)
			}
		})
	}
}

// TestEmptyBase has a user type that names no base look where the file says, which
// must leave no choice.
func TestEmptyBase(t *testing.T) {
	u := agenttest.Staff()
	u.SearchBase = ""
	one := newPolicy(t, func(c *configs.Policy) { c.SearchBases = []string{"ou=people,dc=x"} })
	if compiled, reasons := Compile(one, u); len(reasons) > 0 || compiled.SearchBase() != "ou=people,dc=x" {
		t.Errorf("%q", reasons)
	}
	two := newPolicy(t, func(c *configs.Policy) { c.SearchBases = []string{"ou=people,dc=x", "ou=guests,dc=x"} })
	if _, reasons := Compile(two, u); !strings.Contains(strings.Join(reasons, "; "), "search base") {
		t.Errorf("%q", reasons)
	}
}
