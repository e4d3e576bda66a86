package e2e

import (
	"testing"
)

// TestUserTypeWithoutALookup: who is imported with a link signs on against a real slapd,
// by the attributes that identify them, and who is not linked is looked for nowhere.
func TestUserTypeWithoutALookup(t *testing.T) {
	w := newWorld(t, plan{change: func(u map[string]any) {
		delete(u, "newUserLookup")
		u["orderedCorrelationAttributes"] = []string{"uid", "entryUUID"}
	}})
	w.awaitInstances(1)
	if r := w.signOn("alice", "wonderland"); r.Outcome != "noSuchUser" {
		t.Errorf("a stranger: %+v", r)
	}
	link := map[string]any{"external": map[string]any{"gateway": map[string]any{
		"id":                    w.gateway,
		"type":                  "LDAP",
		"userType":              map[string]string{"id": w.userType},
		"correlationAttributes": map[string]string{"uid": "alice"},
	}}}
	person := map[string]any{"username": "alice", "email": "a@example.com", "password": link}
	if err := w.do("POST", "/users", person, nil); err != nil {
		t.Fatal(err)
	}
	if r := w.signOn("alice", "wrong"); r.Outcome != "invalidCredentials" {
		t.Errorf("a wrong password: %+v", r)
	}
	r := w.mustSignOn("alice", "wonderland")
	if u, groups := w.record(r.User.ID); u.Email != "a@example.com" || groups != "" {
		t.Errorf("the record followed the directory: %+v, %q", u, groups)
	}
}
