package e2e

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// visitor is an administrator's browser without a script.
type visitor struct {
	*world
	http http.Client
}

func (w *world) visitor() *visitor {
	w.t.Helper()
	jar, err := cookiejar.New(nil)
	must(w.t, err)
	return &visitor{w, http.Client{Jar: jar}}
}

// administrator is one who has set a password and signed in.
func (w *world) administrator() *visitor {
	w.t.Helper()
	v := w.visitor()
	v.post("/console/setup", url.Values{
		"name":     {"admin"},
		"secret":   {w.secret},
		"password": {"a long password"},
		"again":    {"a long password"},
	})
	v.post("/console/sign-in", url.Values{"name": {"admin"}, "password": {"a long password"}})
	return v
}

// page returns what a request shows, redirects followed.
func (v *visitor) page(resp *http.Response, err error) string {
	v.t.Helper()
	must(v.t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	must(v.t, err)
	if resp.StatusCode != http.StatusOK {
		v.t.Errorf("%s: %s\n%s", resp.Request.URL, resp.Status, b)
	}
	return string(b)
}

func (v *visitor) get(path string) string {
	v.t.Helper()
	return v.page(v.http.Get(v.url + path))
}

func (v *visitor) post(path string, form url.Values) string {
	v.t.Helper()
	return v.page(v.http.PostForm(v.url+path, form))
}

// TestConsoleShowsWhereGroupsComeFrom goes from the set-up secret to the badges.
func TestConsoleShowsWhereGroupsComeFrom(t *testing.T) {
	w := newWorld(t, plan{})
	r := w.mustSignOn("alice", "wonderland")
	if page := w.visitor().get("/console/groups"); strings.Contains(page, "Just-in-time") {
		t.Fatal("groups are shown to a stranger")
	}
	v := w.administrator()
	groups := v.get("/console/groups")
	for _, want := range []string{"cn=B,ou=groups", "cn=staff,ou=groups", "cn=unix,ou=groups", "Just-in-time", "LDAP Gateway", "HQ"} {
		if !strings.Contains(groups, want) {
			t.Errorf("no %q on the page", want)
		}
	}
	if strings.Contains(groups, "cn=A,ou=groups") || strings.Count(groups, ">Just-in-time<") < 3 {
		t.Errorf("the parent is there, or a badge is not:\n%s", groups)
	}
	user := v.get("/console/users/" + r.User.ID)
	for _, want := range []string{aliceDN, "entryUUID", "refreshed"} {
		if !strings.Contains(user, want) {
			t.Errorf("no %q on the person's page", want)
		}
	}
	if gateways := v.get("/console/gateways/" + w.gateway); !strings.Contains(gateways, w.instances()[0].Fingerprint) || !strings.Contains(gateways, "Healthy") {
		t.Error("the instance is not shown")
	}
}

// TestTryAPerson asks the agent through the console, and says the same as a
// sign-on of the person does afterwards.
func TestTryAPerson(t *testing.T) {
	w := newWorld(t, plan{policy: "policy {\n  explain = true\n  groups {\n    exclude = [\"cn=unix,*\"]\n  }\n}\n"})
	v := w.administrator()
	ask := func(name string) string {
		return strings.Join(strings.Fields(v.post("/console/gateways/"+w.gateway+"/try", url.Values{"name": {name}})), " ")
	}
	w.await("an instance is live", func() bool { return strings.Contains(ask("alice"), "Record") })
	w.await("the form offers what the directory has", func() bool {
		form := v.get("/console/gateways/" + w.gateway + "/user-types/" + w.userType)
		return strings.Contains(form, `<option value="mail">`) && !strings.Contains(form, `<option value="userPassword">`)
	})
	page := ask("alice")
	for _, text := range []string{"uid=alice", "none yet: a sign-on makes one", "All direct groups", "cn=staff", "kept back by the policy"} {
		if !strings.Contains(page, text) {
			t.Errorf("%q is not in\n%s", text, page)
		}
	}
	if strings.Contains(page, "cn=unix") {
		t.Error("a group that the policy keeps back is named")
	}
	if !strings.Contains(ask("nobody"), "It leads to nobody") {
		t.Error("nobody is somebody")
	}
	r := w.mustSignOn("alice", "wonderland")
	if _, groups := w.record(r.User.ID); strings.Contains(groups, "unix") || !strings.Contains(groups, "cn=staff") {
		t.Error(groups)
	}
	if page := ask("alice"); !strings.Contains(page, "/console/users/"+r.User.ID) {
		t.Error("the user is not linked")
	}
	audit, err := os.ReadFile(filepath.Join(w.dir, "agent1", "state", "audit.jsonl"))
	if err != nil || !strings.Contains(string(audit), `"event":"explain"`) {
		t.Error("the agent wrote nothing down")
	}
}
