package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ldap-gateway/cloudlink/wire"
)

// sentences is what a person reads. Only who knows the password is told about the
// account, and never that it is locked or disabled, which some directories say to
// any password.
var sentences = map[string]string{
	"noSuchUser":         wrongSentence,
	"invalidCredentials": wrongSentence,
	"accountLocked":      wrongSentence,
	"accountDisabled":    wrongSentence,
	"passwordExpired":    "Your password has expired. Change it where your organisation has you do that, then sign on again.",
	"passwordMustChange": "You have to change your password before you can sign on. Change it where your organisation has you do that.",
	"accountExpired":     "Your account has expired. Please ask your administrator.",
	"logonHours":         "You cannot sign on at this time of day. Please ask your administrator.",
	"logonWorkstation":   "You cannot sign on from here. Please ask your administrator.",
}

const wrongSentence = "The user name or the password is not right."

// TestEachDirectoryTellsItsAccounts goes through the states of an account that each
// directory has, after a sign-on of a good one with nested groups.
func TestEachDirectoryTellsItsAccounts(t *testing.T) {
	for name, start := range map[string]func(*testing.T) *site{"OpenLDAP": openLDAP, "389": ds389, "Samba": sambaAD} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			w := newWorld(t, plan{at: &s.directory, change: s.change, update: true})
			console := w.administrator()
			t.Run("groups", func(t *testing.T) { w.followsDirectGroups(t, s) })
			t.Run("unknown", func(t *testing.T) { w.isRefused(t, "nobody", wrongPassword, "noSuchUser") })
			for _, state := range s.states {
				t.Run(state.name, func(t *testing.T) {
					known, newcomer := state.names()
					id := w.keepsTheRecord(t, state, known)
					if page := console.get("/console/activity?subject=user:" + id); !strings.Contains(page, " by password: "+state.right+".") {
						t.Errorf("the console does not say %s:\n%s", state.right, page)
					}
					w.makesNoRecord(t, state, newcomer)
				})
			}
			w.agents[0].stop()
			w.cloud.stop()
			for _, password := range []string{rightPassword, wrongPassword} {
				if bytes.Contains(w.everything(), []byte(password)) {
					t.Errorf("%s was kept somewhere", password)
				}
			}
		})
	}
}

// followsDirectGroups signs grace on, moves her to another group, and signs her on
// again: the group that holds her group is never among hers.
func (w *world) followsDirectGroups(t *testing.T, s *site) {
	first := w.mustSignOn("grace", rightPassword)
	if got := w.groupDNs(first.User.ID); !strings.EqualFold(got, s.groupDN("direct")) || first.Membership.Verdict != "complete" {
		t.Errorf("at first %s, %+v", got, first.Membership)
	}
	s.modify(fmt.Sprintf("dn: %s\nchangetype: modify\ndelete: member\nmember: %s\n\ndn: %s\nchangetype: modify\nadd: member\nmember: %[2]s\n",
		s.groupDN("direct"), s.personDN("grace"), s.groupDN("spare")))
	r := w.mustSignOn("grace", rightPassword)
	if got := w.groupDNs(first.User.ID); !strings.EqualFold(got, s.groupDN("spare")) || r.User.ID != first.User.ID {
		t.Errorf("then %s", got)
	}
	if r.Membership.Verdict != "complete" || len(r.Membership.Added) != 1 || len(r.Membership.Removed) != 1 {
		t.Errorf("%+v", r.Membership)
	}
}

// groupDNs joins the names of a person's groups.
func (w *world) groupDNs(id string) string {
	w.t.Helper()
	var all []string
	for _, g := range w.groupsOf(id) {
		all = append(all, g.Name)
	}
	return strings.Join(all, " ")
}

// keepsTheRecord brings somebody into the state who has signed on before: what the
// cloud knows of them stays.
func (w *world) keepsTheRecord(t *testing.T, state accountState, person string) (id string) {
	t.Helper()
	id = w.mustSignOn(person, rightPassword).User.ID
	before, _ := w.record(id)
	state.enter(w, person)
	w.isRefused(t, person, wrongPassword, state.wrong)
	w.isRefused(t, person, rightPassword, state.right)
	w.explains(t, person, state.right)
	if after, _ := w.record(id); after != before {
		t.Errorf("before %+v\nafter  %+v", before, after)
	}
	return id
}

// explains wants "explain" to say the same without a password. It keeps to what the
// service account may read, and disabled is locked for ever at OpenLDAP.
func (w *world) explains(t *testing.T, person, outcome string) {
	t.Helper()
	word := map[string]string{
		"accountLocked":      "locked",
		"accountDisabled":    "disabled",
		"passwordExpired":    "expired",
		"passwordMustChange": "must be changed",
		"accountExpired":     "the account expired",
		"logonHours":         "no hour of the week",
		"logonWorkstation":   "ELSEWHERE only",
	}[outcome]
	out, code := w.command("agent1", "", "explain", person)
	for line := range strings.Lines(out) {
		if strings.Contains(line, "keep") && strings.Contains(line, "the person out: ") && strings.Contains(line, word) {
			return
		}
	}
	t.Errorf("explain ends with %d and does not say %q:\n%s", code, word, out)
}

// makesNoRecord does so with somebody who has never signed on.
func (w *world) makesNoRecord(t *testing.T, state accountState, person string) {
	t.Helper()
	state.enter(w, person)
	w.isRefused(t, person, wrongPassword, state.wrong)
	w.isRefused(t, person, rightPassword, state.right)
	var list struct{ Count int }
	w.must("GET", `/users?filter=username+eq+"`+person+`"`, nil, &list)
	if list.Count != 0 {
		t.Errorf("%s was created", person)
	}
}

// isRefused signs on and looks in every place where the outcome is told: the answer,
// the record of the sign-on, the activity and the agent's log.
func (w *world) isRefused(t *testing.T, person, password, outcome string) {
	t.Helper()
	r := w.signOn(person, password)
	if r.Outcome != outcome || r.Message != sentences[outcome] || len(r.Groups) != 0 || r.Membership != nil {
		t.Errorf("%s with %s: %s (%s), want %s; the person reads %q", person, password, r.Outcome, r.Reason, outcome, r.Message)
	}
	if password == wrongPassword && r.Message != wrongSentence {
		t.Errorf("%s: whoever does not know the password is told %q", person, r.Message)
	}
	if strings.Contains(r.Reason, "held back by the gateway") {
		t.Errorf("%s: the directory was not asked", person)
	}
	var kept signOn
	w.must("GET", "/signOns/"+r.ID, nil, &kept)
	if kept.Outcome != r.Outcome || kept.Message != r.Message || kept.Reason != r.Reason || kept.Reason == "" || kept.Record.Updated {
		t.Errorf("answered %+v\nrecorded %+v", r, kept)
	}
	did := w.activities(r.ID)
	text := strings.TrimSpace(fmt.Sprintf("Sign-on of %q by password: %s. %s", person, outcome, wire.MoreThan(outcome, r.Reason)))
	if len(did) != 1 || len(did["sign-on"]) != 1 || did["sign-on"][0] != text {
		t.Errorf("activities %v, want only %q", did, text)
	}
	if lines := w.agentLines("signOn=" + r.ID); len(lines) != 1 || !strings.Contains(lines[0], " outcome="+outcome+" ") {
		t.Errorf("the agent's log says %q", lines)
	}
}

// agentLines returns what the first agent's log says of sign-ons with the text in it.
func (w *world) agentLines(text string) (lines []string) {
	w.t.Helper()
	b, err := os.ReadFile(filepath.Join(w.dir, w.agents[0].name, "log"))
	must(w.t, err)
	for line := range strings.Lines(string(b)) {
		if strings.Contains(line, " sign-on: ") && strings.Contains(line, text+" ") {
			lines = append(lines, line)
		}
	}
	return lines
}

// TestGuessingReadsAlike guesses on and on at somebody, at somebody whom the cloud
// has switched off, and at nobody. The agent holds guesses at people back, and the
// cloud guesses at any name: none of it may show who exists.
func TestGuessingReadsAlike(t *testing.T) {
	w := newWorld(t, plan{})
	bob := w.mustSignOn("bob", "builder").User.ID
	w.must("PATCH", "/users/"+bob, map[string]any{"enabled": false}, nil)
	told := map[string][]string{}
	for _, name := range []string{"nobody", "alice", "bob"} {
		for range 12 {
			told[name] = append(told[name], w.signOn(name, wrongPassword).Message)
		}
	}
	if first, last := told["nobody"][0], told["nobody"][11]; first != wrongSentence || last == wrongSentence {
		t.Errorf("nobody is told %q, and in the end %q", first, last)
	}
	for _, name := range []string{"alice", "bob"} {
		if !slices.Equal(told[name], told["nobody"]) {
			t.Errorf("%s is told %q\nnobody is told %q", name, told[name], told["nobody"])
		}
	}
}
