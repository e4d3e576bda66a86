package signon

import (
	"strings"
	"testing"
	"time"

	"ldap-gateway/agent/agenttest"
	"ldap-gateway/cloudlink/wire"
	"ldap-gateway/configs"
	"ldap-gateway/directory"
	"ldap-gateway/directory/directorytest"
)

// changing is a desk whose file and user type let people change their passwords.
func changing(t *testing.T, edit ...func(*configs.Policy)) *desk {
	t.Helper()
	p := agenttest.Policy()
	p.PasswordChanges = true
	for _, f := range edit {
		f(&p)
	}
	d := newDesk(t, p)
	d.allowChanges(true)
	return d
}

func (d *desk) allowChanges(allow bool) {
	d.t.Helper()
	u := agenttest.Staff()
	u.ChangePasswords = allow
	if a := d.UserTypes(wire.UserTypes{Revision: 2, Types: []wire.UserType{u}}); len(a.Refused) != 0 {
		d.t.Fatal(a.Refused)
	}
}

// change asks for a change, altered by edit.
func (d *desk) change(id, old, fresh string, edit ...func(*wire.ChangePassword)) wire.PasswordChanged {
	d.t.Helper()
	m := wire.ChangePassword{ID: id, UserType: "staff", Revision: 2, Identifier: "alice",
		Old: d.sealer.Seal(wire.OldPassword(id), []byte(old)), New: d.sealer.Seal(wire.NewPassword(id), []byte(fresh))}
	for _, f := range edit {
		f(&m)
	}
	r, _ := d.ChangePassword(d.t.Context(), m)
	if r.ID != m.ID {
		d.t.Errorf("%+v", r)
	}
	return r
}

func TestPasswordIsChanged(t *testing.T) {
	d := changing(t)
	if r := d.change("c1", "wonderland", "looking-glass"); r.Outcome != wire.OutcomeOK || !r.BindSent {
		t.Fatalf("%+v", r)
	}
	if b, n := d.server.Binds(agenttest.AliceDN), d.server.Changes(agenttest.AliceDN); b != 1 || n != 1 {
		t.Errorf("%d binds and %d changes", b, n)
	}
	if r := d.ask("s1", "alice", "looking-glass"); r.Outcome != wire.OutcomeOK {
		t.Errorf("%+v", r)
	}
}

// TestChangeNeedsFileAndUserType: without either the directory is asked nothing.
func TestChangeNeedsFileAndUserType(t *testing.T) {
	for name, d := range map[string]*desk{
		"file-off":     changing(t, func(p *configs.Policy) { p.PasswordChanges = false }),
		"file-observe": changing(t, func(p *configs.Policy) { p.Observe = true }),
		"type-off":     changing(t),
	} {
		t.Run(name, func(t *testing.T) {
			if name == "type-off" {
				d.allowChanges(false)
			}
			if r := d.change("c1", "wonderland", "looking-glass"); r.Outcome != wire.OutcomeNotAllowed || r.BindSent ||
				r.Reason == "" {
				t.Errorf("%+v", r)
			}
			if n := d.server.Binds("") + d.server.Searches(); n != 0 {
				t.Errorf("%d binds and searches", n)
			}
		})
	}
}

func TestChangeOutcomes(t *testing.T) {
	short := directorytest.ActiveDirectoryConstraint("0000052D")
	tooShort := int8(6)
	for name, c := range map[string]struct {
		prepare func(*directorytest.Server)
		old     string
		want    wire.PasswordChanged
	}{
		"wrong":       {old: "guess", want: wire.PasswordChanged{Outcome: wire.OutcomeInvalidCredentials, BindSent: true}},
		"empty":       {want: wire.PasswordChanged{Outcome: wire.OutcomeInvalidCredentials}},
		"too-short":   {func(s *directorytest.Server) { s.SetChangeFault("", result(19, "", &tooShort)) }, "wonderland", wire.PasswordChanged{Outcome: wire.OutcomeNewPasswordRefused, Refusal: wire.RefusalTooShort, BindSent: true}},
		"some-rule":   {func(s *directorytest.Server) { s.SetChangeFault("", directorytest.Fault{Result: &short}) }, "wonderland", wire.PasswordChanged{Outcome: wire.OutcomeNewPasswordRefused, Refusal: wire.RefusalSomeRule, BindSent: true}},
		"lost":        {func(s *directorytest.Server) { s.SetChangeFault("", directorytest.Fault{Close: true}) }, "wonderland", wire.PasswordChanged{Outcome: wire.OutcomeUnknown, BindSent: true}},
		"unsupported": {func(s *directorytest.Server) { s.SetChangeFault("", result(2, "", nil)) }, "wonderland", wire.PasswordChanged{Outcome: wire.OutcomeDirectoryUnavailable, BindSent: true}},
		"locked":      {func(s *directorytest.Server) { s.SetBindFault(agenttest.AliceDN, result(19, "", nil)) }, "wonderland", wire.PasswordChanged{Outcome: wire.OutcomeAccountLocked, BindSent: true}},
	} {
		t.Run(name, func(t *testing.T) {
			d := changing(t)
			if c.prepare != nil {
				c.prepare(d.server)
			}
			r := d.change("c", c.old, "looking-glass")
			if r.Reason == "" {
				t.Error("no reason")
			}
			r.ID, r.Reason = "", ""
			if r != c.want {
				t.Errorf("%+v", r)
			}
		})
	}
}

func result(code uint16, text string, policy *int8) directorytest.Fault {
	return directorytest.Fault{Result: &directorytest.Result{Code: code, Text: text, Policy: policy}}
}

// TestChangeIsMadeOnce: what was answered is not done again, as a change or as a sign-on.
func TestChangeIsMadeOnce(t *testing.T) {
	d := changing(t)
	d.change("c1", "wonderland", "looking-glass")
	for range 2 {
		if r := d.change("c1", "looking-glass", "jabberwocky"); r.Outcome != wire.OutcomeNotAllowed || r.BindSent {
			t.Errorf("%+v", r)
		}
	}
	if r := d.ask("c1", "alice", "looking-glass", func(m *wire.SignOn) { m.Revision = 2 }); r.Outcome != wire.OutcomeNotAllowed {
		t.Errorf("%+v", r)
	}
	if n := d.server.Binds(agenttest.AliceDN); n != 1 {
		t.Errorf("%d binds", n)
	}
}

// TestWrongOldPasswordsAreHeldBack: they count together with those of sign-ons.
func TestWrongOldPasswordsAreHeldBack(t *testing.T) {
	d := changing(t, func(p *configs.Policy) { p.WrongPasswords = configs.WrongPasswords{Most: 2, Within: time.Hour} })
	d.change("c1", "guess", "x")
	d.ask("s1", "alice", "guess")
	if r := d.change("c2", "wonderland", "looking-glass"); r.Outcome != wire.OutcomeAccountLocked || r.BindSent {
		t.Errorf("%+v", r)
	}
	if n := d.server.Binds(agenttest.AliceDN); n != 2 {
		t.Errorf("%d binds", n)
	}
}

// TestEveryReasonIsARefusal keeps the two closed sets together.
func TestEveryReasonIsARefusal(t *testing.T) {
	n := 0
	for r := directory.Unacceptable; !strings.HasPrefix(r.String(), "PasswordReason("); r++ {
		if !refusals[r].Known() {
			t.Errorf("%s is no refusal", r)
		}
		n++
	}
	if n != len(refusals) || n != 7 {
		t.Errorf("%d reasons, %d refusals", n, len(refusals))
	}
}
