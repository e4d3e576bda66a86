package e2e

import (
	"strings"
	"testing"
)

// TestOutcomes has people type what people type.
func TestOutcomes(t *testing.T) {
	w := newWorld(t, plan{})
	for name, c := range map[string]struct{ username, password, outcome string }{
		"right":             {"alice", "wonderland", "ok"},
		"other-case":        {"ALICE", "wonderland", "ok"},
		"wrong":             {"alice", "guess", "invalidCredentials"},
		"unknown":           {"nobody", "guess", "noSuchUser"},
		"two-entries":       {"twin", "same", "ambiguousUser"},
		"empty-password":    {"alice", "", "invalidCredentials"},
		"NUL-password":      {"alice", "\x00wonderland", "invalidCredentials"},
		"injection":         {"*)(uid=*", "wonderland", "noSuchUser"},
		"injection-or":      {"alice)(|(uid=*", "wonderland", "noSuchUser"},
		"star":              {"*", "wonderland", "noSuchUser"},
		"NUL":               {"alice\x00", "wonderland", "noSuchUser"},
		"backslash":         {`ali\63e`, "wonderland", "noSuchUser"},
		"too-long":          {strings.Repeat("a", 300), "wonderland", "invalidCredentials"},
		"quote-bracket":     {"o'brien (ext)*", "telescreen", "ok"},
		"accent-comma":      {"josé, [x]", "brackets", "ok"},
		"accent-decomposed": {"jose\u0301, [x]", "brackets", "ok"},
	} {
		t.Run(name, func(t *testing.T) {
			r := w.signOn(c.username, c.password)
			if r.Outcome != c.outcome {
				t.Errorf("%s (%s), want %s", r.Outcome, r.Reason, c.outcome)
			}
			if wrong := "The user name or the password is not right."; c.outcome != "ok" && r.Message != wrong {
				t.Errorf("the person reads %q", r.Message)
			}
		})
	}
}

// TestEmptyPasswordCausesNoBind counts at the directory.
func TestEmptyPasswordCausesNoBind(t *testing.T) {
	w := newWorld(t, plan{})
	for _, password := range []string{"", "\x00", "\x00\x00"} {
		w.signOn("alice", password)
	}
	w.slapd.Stop()
	if n := w.slapd.Binds(aliceDN); n != 0 {
		t.Errorf("%d binds", n)
	}
}

// TestWrongPasswordIsOneBind counts at the directory, with two instances to try.
func TestWrongPasswordIsOneBind(t *testing.T) {
	w := newWorld(t, plan{})
	w.addAgent("agent2", plan{})
	w.signOn("alice", "guess")
	w.slapd.Stop()
	if n := w.slapd.Binds(aliceDN); n != 1 {
		t.Errorf("%d binds", n)
	}
}

// TestCutAfterTheBindIsUnknown has two servers configured and the first cut as
// soon as the bind was sent: no second bind, and an honest outcome.
func TestCutAfterTheBindIsUnknown(t *testing.T) {
	p := plan{}
	w := newWorld(t, p)
	cut := startProxy(t, w.slapd.URL())
	w.agents[0].stop()
	w.writeFile("agent1", plan{servers: []string{cut.url, w.slapd.URL()}})
	w.runAgent(w.agents[0])
	w.mustSignOn("bob", "builder")
	cut.cutAfterRequest(aliceDN, "wonderland")
	r := w.signOn("alice", "wonderland")
	if r.Outcome != "unknown" || r.Message == "" {
		t.Errorf("%s: %s", r.Outcome, r.Reason)
	}
	cut.heal()
	w.mustSignOn("alice", "wonderland")
	w.slapd.Stop()
	if n := w.slapd.Binds(aliceDN); n != 2 {
		t.Errorf("%d binds, want one for each sign-on", n)
	}
}

// TestCutInTheMiddleOfGroupsRemovesNothing has the connection end after the
// first of several groups.
func TestCutInTheMiddleOfGroupsRemovesNothing(t *testing.T) {
	w := newWorld(t, plan{update: true})
	cut := startProxy(t, w.slapd.URL())
	w.agents[0].stop()
	w.writeFile("agent1", plan{servers: []string{cut.url}})
	w.runAgent(w.agents[0])
	first := w.mustSignOn("alice", "wonderland")
	w.slapd.Modify(member("B", "add", "uid=bob,ou=people,dc=example,dc=test") + member("B", "delete", aliceDN))
	cut.cutInAnswer("uniqueMember", 200)
	r := w.mustSignOn("alice", "wonderland")
	if r.Membership == nil || r.Membership.Verdict == "complete" || len(r.Membership.Removed) != 0 {
		t.Errorf("%+v", r.Membership)
	}
	if _, groups := w.record(first.User.ID); groups != "cn=B cn=staff cn=unix" {
		t.Errorf("lost groups: %s", groups)
	}
	if did := w.activities(r.ID); len(did["update.refused"]) != 1 {
		t.Errorf("activities %v", did)
	}
	cut.heal()
	w.mustSignOn("alice", "wonderland")
	if _, groups := w.record(first.User.ID); groups != "cn=staff cn=unix" {
		t.Errorf("afterwards: %s", groups)
	}
}
