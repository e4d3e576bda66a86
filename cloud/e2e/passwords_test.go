package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ldap-gateway/cloud/api/client"
)

const (
	freshPassword = "Rabbit.hole3"
	shortPassword = "Ab.1"

	changesOn          = "policy {\n  password_changes = true\n}\n"
	notChangedSentence = "Your password was not changed: the user name or the current password is not right, or it cannot be changed here."
)

// changePassword changes a password through the API and returns what a refusal
// says; nil when it was changed.
func (w *world) changePassword(user, old, fresh string) *client.Error {
	w.t.Helper()
	err := w.do("PUT", "/users/"+user+"/password", map[string]string{"currentPassword": old, "newPassword": fresh}, nil)
	var refusal *client.Error
	if err != nil && !errors.As(err, &refusal) {
		w.t.Fatal(err)
	}
	return refusal
}

// isNotChanged wants a refusal, told alike to the person, in the activities, and in
// the agent's audit file.
func (w *world) isNotChanged(refusal *client.Error, outcome, target string) {
	w.t.Helper()
	if refusal == nil || refusal.Inner["outcome"] != outcome || len(refusal.Details) != 1 || refusal.Details[0].Target != target {
		w.t.Fatalf("%+v, want %s", refusal, outcome)
	}
	var did struct {
		Embedded struct {
			Activities []struct {
				Action string
				Detail map[string]any
			}
		} `json:"_embedded"`
	}
	w.must("GET", `/activities?filter=action+eq+"password.notChanged"&limit=1`, nil, &did)
	if a := did.Embedded.Activities; len(a) != 1 || a[0].Detail["outcome"] != outcome || a[0].Detail["change"] != refusal.Inner["change"] {
		w.t.Errorf("%+v", a)
	}
}

// allowingChanges makes a user type's form one that allows password changes.
func allowingChanges(next func(map[string]any)) func(map[string]any) {
	return func(u map[string]any) {
		u["allowPasswordChanges"] = true
		if next != nil {
			next(u)
		}
	}
}

// TestPasswordChange goes through a change, and through what can come of one, on each
// directory. The service account is one that may set passwords: where nobody can bind
// with an expired one, it completes the change.
func TestPasswordChange(t *testing.T) {
	for name, start := range map[string]func(*testing.T) *site{"OpenLDAP": openLDAP, "389": ds389, "Samba": sambaAD} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			if s.writer != "" {
				s.bindDN = s.writer
			}
			w := newWorld(t, plan{at: &s.directory, change: allowingChanges(s.change), policy: changesOn})
			t.Run("changed", func(t *testing.T) { w.changesPassword(t, "grace") })
			t.Run("too-short", func(t *testing.T) {
				if s.strict != nil {
					s.strict()
				}
				w.refusesShort(t, "disabled")
			})
			for _, state := range s.states {
				if state.right == "passwordExpired" || state.right == "passwordMustChange" {
					t.Run(state.name, func(t *testing.T) { w.completes(t, state) })
				}
			}
			w.agents[0].stop()
			w.cloud.stop()
			for _, password := range []string{rightPassword, freshPassword, shortPassword, wrongPassword} {
				if bytes.Contains(w.everything(), []byte(password)) {
					t.Errorf("%s was kept somewhere", password)
				}
			}
		})
	}
}

// changesPassword tries a wrong old one first.
func (w *world) changesPassword(t *testing.T, person string) {
	id := w.mustSignOn(person, rightPassword).User.ID
	refusal := w.changePassword(id, wrongPassword, freshPassword)
	w.isNotChanged(refusal, "invalidCredentials", "currentPassword")
	if refusal.Message != notChangedSentence {
		t.Error(refusal.Message)
	}
	if refusal := w.changePassword(id, rightPassword, freshPassword); refusal != nil {
		t.Fatalf("%+v", refusal)
	}
	w.mustSignOn(person, freshPassword)
	audit, err := os.ReadFile(filepath.Join(w.dir, w.agents[0].name, "state", "audit.jsonl"))
	must(t, err)
	for _, outcome := range []string{"invalidCredentials", "ok"} {
		if !strings.Contains(string(audit), fmt.Sprintf(`"outcome":%q,`, outcome)) || strings.Count(string(audit), `"event":"passwordChange"`) != 2 {
			t.Errorf("the audit file says\n%s", audit)
		}
	}
}

// refusesShort wants the person told what is wrong with the new password.
func (w *world) refusesShort(t *testing.T, person string) {
	id := w.mustSignOn(person, rightPassword).User.ID
	refusal := w.changePassword(id, rightPassword, shortPassword)
	w.isNotChanged(refusal, "newPasswordRefused", "newPassword")
	want := map[string]string{ // OpenLDAP says which rule, 389 that it is a weak one, Active Directory that there are rules
		"tooShort":  "The new password is too short. Choose a longer one.",
		"tooSimple": "The new password is too simple. Use capital and small letters, digits and other characters, and no part of your name.",
		"someRule":  "The new password is against the rules of your organisation: it is too short or too simple, or you had it before, or the last change was too recent.",
	}[refusal.Inner["refusal"]]
	if want == "" || refusal.Message != want {
		t.Errorf("%+v", refusal)
	}
	w.mustSignOn(person, rightPassword)
}

// completes changes a password that has to be changed before anybody signs on.
func (w *world) completes(t *testing.T, state accountState) {
	person, _ := state.names()
	id := w.mustSignOn(person, rightPassword).User.ID
	state.enter(w, person)
	if r := w.signOn(person, rightPassword); r.Outcome != state.right {
		t.Fatalf("before: %+v", r)
	}
	w.isNotChanged(w.changePassword(id, wrongPassword, freshPassword), "invalidCredentials", "currentPassword")
	if refusal := w.changePassword(id, rightPassword, freshPassword); refusal != nil {
		t.Fatalf("%+v", refusal)
	}
	w.mustSignOn(person, freshPassword)
}

// TestChangeIsOffUnlessBothAllowIt turns the file's switch and the user type's. While
// one is off, the directory hears nothing.
func TestChangeIsOffUnlessBothAllowIt(t *testing.T) {
	w := newWorld(t, plan{change: allowingChanges(nil)})
	alice := w.mustSignOn("alice", "wonderland").User.ID
	binds := w.slapd.Binds("uid=alice,ou=people,dc=example,dc=test")
	refusal := w.changePassword(alice, "wonderland", freshPassword)
	w.isNotChanged(refusal, "notAllowed", "currentPassword")
	if !strings.Contains(refusal.Inner["reason"], "policy.password_changes") || refusal.Message != notChangedSentence {
		t.Errorf("%+v", refusal)
	}
	w.agents[0].stop()
	w.writeFile("agent1", plan{policy: changesOn})
	w.runAgent(w.agents[0])
	off := w.userTypeForm()
	w.must("PUT", "/gateways/"+w.gateway+"/userTypes/"+w.userType, off, nil)
	refusal = w.changePassword(alice, "wonderland", freshPassword)
	w.isNotChanged(refusal, "notAllowed", "currentPassword")
	if !strings.Contains(refusal.Inner["reason"], "user type") {
		t.Errorf("%+v", refusal)
	}
	if n := w.slapd.Binds("uid=alice,ou=people,dc=example,dc=test"); n != binds {
		t.Errorf("%d binds more", n-binds)
	}
	allowingChanges(nil)(off)
	w.must("PUT", "/gateways/"+w.gateway+"/userTypes/"+w.userType, off, nil)
	if refusal := w.changePassword(alice, "wonderland", freshPassword); refusal != nil {
		t.Fatalf("%+v", refusal)
	}
	w.mustSignOn("alice", freshPassword)
}
