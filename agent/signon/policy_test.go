package signon

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ldap-gateway/agent/agenttest"
	"ldap-gateway/agent/policy"
	"ldap-gateway/cloud/usertypes"
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
	if r := d.ask("1", "alice", "wonderland", func(m *wire.SignOn) { m.UserType = "bad" }); r.Outcome != wire.OutcomeNotAllowed ||
		!strings.Contains(r.Reason, "search base") {
		t.Errorf("%+v", r)
	}
	if r := d.ask("2", "alice", "wonderland"); r.Outcome != wire.OutcomeOK {
		t.Errorf("%+v", r)
	}
}

// TestObserveLetsNothingOut has the answer of every kind of sign-on be the outcome
// and numbers, and of the entry what the cloud said itself.
func TestObserveLetsNothingOut(t *testing.T) {
	file := agenttest.Policy()
	file.Observe = true
	d := newDesk(t, file)
	u := agenttest.Staff()
	u.Correlation = []string{"entryUUID", "mail", "cn", "uid"}
	d.UserTypes(wire.UserTypes{Revision: 1, Types: []wire.UserType{u}})
	alice, mail := wire.Correlation{
		Attribute: "entryuuid",
		Value:     agenttest.AliceUUID,
	}, wire.Correlation{
		Attribute: "mail",
		Value:     "alice@x.test",
	}
	for name, c := range map[string]struct {
		want  wire.Want
		known []wire.Correlation
		leave *wire.Entry
	}{
		"record":         {wire.WantRecord, nil, nil},
		"verify":         {wire.WantVerify, nil, nil},
		"known":          {wire.WantRecord, []wire.Correlation{alice, mail}, &wire.Entry{Correlation: []wire.Correlation{alice}}},
		"verify-known":   {wire.WantVerify, []wire.Correlation{mail}, &wire.Entry{Correlation: []wire.Correlation{mail}}},
		"another-person": {wire.WantVerify, []wire.Correlation{{Attribute: "entryUUID", Value: agenttest.BobUUID}, mail}, nil},
		"not-asked-for":  {wire.WantRecord, []wire.Correlation{{Attribute: "employeeNumber", Value: "7"}}, nil},
	} {
		r := d.ask(name, "alice", "wonderland", func(m *wire.SignOn) { m.Want, m.Known = c.want, c.known })
		m := r.Membership
		r.Membership = nil
		want := wire.SignOnResult{ID: name, Outcome: wire.OutcomeOK, BindSent: true, Observed: true, Entry: c.leave}
		if !reflect.DeepEqual(r, want) || m == nil || m.Verdict != wire.VerdictUnknown || m.Groups != nil {
			t.Errorf("%s: %+v, %+v", name, r, m)
		}
		if name == "record" && m.Reason != "observe: would push 1 groups (complete)" {
			t.Error(m.Reason)
		}
	}
	if r := d.ask("wrong", "alice", "wrong"); r.Outcome != wire.OutcomeInvalidCredentials || r.Server != "" {
		t.Errorf("the password is not checked: %+v", r)
	}
	if lines := strings.Join(d.Policy.Describe(), "\n"); !strings.Contains(lines, "observe: ") ||
		d.Policy.Hash(nil) == newDesk(t, agenttest.Policy()).Policy.Hash(nil) {
		t.Error(lines)
	}
}

func TestObservedNeverCountsAsAnAnswer(t *testing.T) {
	many := &wire.Membership{Verdict: wire.VerdictComplete, Groups: make([]wire.Group, 5000)}
	for name, c := range map[string]struct {
		m      *wire.Membership
		reason string
	}{
		"no-rule":  {nil, "no groups were asked for"},
		"unknown":  {&wire.Membership{Verdict: wire.VerdictUnknown, Reason: "size limit"}, "would push nothing: size limit"},
		"complete": {&wire.Membership{Verdict: wire.VerdictComplete}, "would push 0 groups"},
		"many":     {many, "would push 5000 groups (complete)"},
	} {
		t.Run(name, func(t *testing.T) {
			if o := observedGroups(c.m); o.Verdict != wire.VerdictUnknown || len(o.Groups) != 0 ||
				!strings.Contains(o.Reason, c.reason) {
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
		if want := map[bool]wire.Outcome{true: wire.OutcomeOK, false: wire.OutcomeNotAllowed}[i < 3]; r.Outcome != want ||
			r.BindSent != (i < 3) {
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
		c.Groups.Exclude = []string{"cn=secret*"}
		c.Attributes, c.FilterAttributes = []string{"badgeNumber"}, []string{"badgeNumber"}
	})
	for name, c := range map[string]struct {
		change func(*wire.UserType)
		reason string // empty: allowed
	}{
		"as-it-is":          {func(*wire.UserType) {}, ""},
		"below-the-base":    {func(u *wire.UserType) { u.SearchBase = "ou=a,ou=people,dc=x" }, ""},
		"above-the-base":    {func(u *wire.UserType) { u.SearchBase = "dc=x" }, "search base"},
		"beside-the-base":   {func(u *wire.UserType) { u.SearchBase = "ou=people2,dc=x" }, "search base"},
		"suffix-trick":      {func(u *wire.UserType) { u.SearchBase = `cn=a\,ou=people,dc=x` }, "search base"},
		"empty-base":        {func(u *wire.UserType) { u.SearchBase = "" }, ""},
		"no-dn":             {func(u *wire.UserType) { u.SearchBase = "people" }, "not a distinguished name"},
		"group-base":        {func(u *wire.UserType) { u.Groups.SearchBase = "dc=x" }, "group search base"},
		"attribute":         {func(u *wire.UserType) { u.Attributes = []string{"userPassword"} }, `"userPassword" may not leave`},
		"named-attribute":   {func(u *wire.UserType) { u.Attributes = []string{"BADGENUMBER"} }, ""},
		"all-attributes":    {func(u *wire.UserType) { u.Attributes = []string{"*"} }, "*"},
		"operational":       {func(u *wire.UserType) { u.Attributes = []string{"+"} }, "+"},
		"option":            {func(u *wire.UserType) { u.Attributes = []string{"userPassword;binary"} }, "may not leave"},
		"correlation":       {func(u *wire.UserType) { u.Correlation = []string{"userPassword"} }, "may not leave"},
		"group-name":        {func(u *wire.UserType) { u.Groups.NameAttribute = "unicodePwd" }, "may not leave"},
		"filter-password":   {func(u *wire.UserType) { u.Filter = "(&(uid=${identifier})(userPassword=a*))" }, `filter names "userPassword"`},
		"filter-hidden":     {func(u *wire.UserType) { u.Filter = "(|(uid=${identifier})(&(!(userPassword=*))))" }, `userPassword`},
		"filter-named":      {func(u *wire.UserType) { u.Filter = "(badgeNumber=${identifier})" }, ""},
		"filter-extensible": {func(u *wire.UserType) { u.Filter = "(&(uid=${identifier})(userPassword:2.5.13.17:=a))" }, "userPassword"},
		"filter-any":        {func(u *wire.UserType) { u.Filter = "(&(uid=${identifier})(:2.5.13.2:=a))" }, ""},
		"filter-in-part":    {func(u *wire.UserType) { u.Filter = "(&(uid=${identifier})(mail=a*))" }, `compares "mail" in part`},
		"filter-part-typed": {func(u *wire.UserType) { u.Filter = "(mail=${identifier}@*)" }, `compares "mail" in part`},
		"filter-in-order":   {func(u *wire.UserType) { u.Filter = "(&(uid=${identifier})(employeeNumber>=5))" }, `compares "employeeNumber" in part`},
		"filter-in-order-2": {func(u *wire.UserType) { u.Filter = "(&(uid=${identifier})(!(employeeNumber<=5)))" }, `compares "employeeNumber" in part`},
		"filter-alike":      {func(u *wire.UserType) { u.Filter = "(&(uid=${identifier})(cn~=a))" }, `compares "cn" in part`},
		"filter-rule":       {func(u *wire.UserType) { u.Filter = "(&(uid=${identifier})(mail:2.5.13.4:=a*))" }, `compares "mail" in part`},
		"filter-flags-of":   {func(u *wire.UserType) { u.Filter = "(&(uid=${identifier})(employeeID:1.2.840.113556.1.4.803:=4))" }, `compares "employeeID" in part`},
		"filter-flags": {func(u *wire.UserType) {
			u.Filter = "(&(uid=${identifier})(!(userAccountControl:1.2.840.113556.1.4.803:=2)))"
		}, ""},
		"filter-present":      {func(u *wire.UserType) { u.Filter = "(&(uid=${identifier})(mail=*))" }, ""},
		"filter-part-named":   {func(u *wire.UserType) { u.Filter = "(badgeNumber=${identifier}*)" }, ""},
		"group-excluded":      {func(u *wire.UserType) { u.Filter = `(&(uid=${identifier})(memberOf=CN=Secret\5c2C a, ou=Groups,dc=x))` }, "asks for a group"},
		"group-outside":       {func(u *wire.UserType) { u.Filter = "(&(uid=${identifier})(memberOf=cn=a,ou=elsewhere,dc=x))" }, "asks for a group"},
		"group-negated":       {func(u *wire.UserType) { u.Filter = "(&(uid=${identifier})(!(memberof=cn=secret,ou=groups,dc=x)))" }, "asks for a group"},
		"group-typed":         {func(u *wire.UserType) { u.Filter = "(|(uid=${identifier})(memberOf=${identifier}))" }, "asks for a group"},
		"group-typed-in-part": {func(u *wire.UserType) { u.Filter = "(&(uid=${identifier})(memberOf=cn=${identifier},ou=groups,dc=x))" }, "asks for a group"},
		"group-chain": {func(u *wire.UserType) {
			u.Filter = "(&(uid=${identifier})(memberOf:1.2.840.113556.1.4.1941:=cn=secret,ou=groups,dc=x))"
		}, "asks for a group"},
		"group-any":     {func(u *wire.UserType) { u.Filter = "(&(uid=${identifier})(memberOf=*))" }, "asks for a group"},
		"group-in-part": {func(u *wire.UserType) { u.Filter = "(&(uid=${identifier})(memberOf=cn=s*))" }, "asks for a group"},
		"group-let-out": {func(u *wire.UserType) { u.Filter = "(&(uid=${identifier})(memberOf=cn=staff,ou=groups,dc=x))" }, ""},
		"group-let-out-chain": {func(u *wire.UserType) {
			u.Filter = "(&(uid=${identifier})(memberOf:1.2.840.113556.1.4.1941:=cn=staff,ou=groups,dc=x))"
		}, ""},
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

// TestUsualValuesAreAllowed has a file without a policy let every vendor's usual user
// type be served: whoever keeps to them needs no key.
func TestUsualValuesAreAllowed(t *testing.T) {
	p := newPolicy(t, nil)
	for _, vendor := range usertypes.Vendors() {
		u := usertypes.Usual(vendor)
		u.ID, u.Name, u.SearchBaseDN = "1", "People", "ou=people,dc=x"
		if _, reasons := Compile(p, usertypes.Compile(u)); len(reasons) > 0 {
			t.Errorf("%s: %q", vendor, reasons)
		}
	}
}

// TestKeptBackNamesLeaveInNoAttribute maps attributes that the file lets out, and that
// name an excluded group in one value and another in the next.
func TestKeptBackNamesLeaveInNoAttribute(t *testing.T) {
	file := agenttest.Policy()
	file.Attributes, file.FilterAttributes, file.Explain = []string{"seeAlso", "manager"}, []string{"manager"}, true
	file.Groups.Exclude = []string{"cn=parent*"}
	d := newDesk(t, file)
	parent, child := "cn=parent,ou=groups,dc=x", "cn=child,ou=groups,dc=x"
	agenttest.Must(t, d.server.Replace(agenttest.AliceDN, "seeAlso", parent, child))
	agenttest.Must(t, d.server.Replace(agenttest.AliceDN, "manager", parent))
	u := agenttest.Staff()
	u.Attributes, u.Correlation = append(u.Attributes, "seeAlso", "manager"), append(u.Correlation, "manager")
	if a := d.UserTypes(wire.UserTypes{Revision: 2, Types: []wire.UserType{u}}); len(a.Refused) > 0 {
		t.Fatal(a.Refused)
	}
	second := func(m *wire.SignOn) { m.Revision = 2 }
	r := d.ask("1", "alice", "wonderland", second)
	e, _ := d.Explain(t.Context(), wire.Explain{ID: "2", UserType: u.ID, Revision: 2, Identifier: "alice"})
	for _, told := range []*wire.Entry{r.Entry, e.Entry} {
		if told == nil || len(told.Attributes["seeAlso"]) != 1 || told.Attributes["seeAlso"][0] != child ||
			strings.Contains(fmt.Sprint(*told), "parent") {
			t.Errorf("%+v", told)
		}
	}
	r = d.ask("3", "nobody", "wonderland", second, func(m *wire.SignOn) {
		m.Known = []wire.Correlation{{Attribute: "manager", Value: parent}}
	})
	if r.Outcome != wire.OutcomeNoSuchUser {
		t.Errorf("somebody is found by a name that is kept back: %+v", r)
	}
	u.Filter = "(|(uid=${identifier})(manager=${identifier}))"
	if a := d.UserTypes(wire.UserTypes{Revision: 3, Types: []wire.UserType{u}}); len(a.Refused) > 0 {
		t.Fatal(a.Refused)
	}
	if r := d.ask("4", parent, "wonderland", func(m *wire.SignOn) { m.Revision = 3 }); r.Outcome != wire.OutcomeNoSuchUser {
		t.Errorf("somebody is found by a name that is typed: %+v", r)
	}
}
