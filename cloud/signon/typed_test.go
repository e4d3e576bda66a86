package signon

import "testing"

// TestKnownPeopleAreKnownHoweverTheyType their name, as a directory would take it: their
// password goes to no other gateway.
func TestKnownPeopleAreKnownHoweverTheyType(t *testing.T) {
	c := newCloud(t)
	c.isFor(c.first, false)
	c.agents.answers[c.second.ID] = right("ada", "1")
	c.signOn("ada", "x")
	c.isFor(c.first, true)
	for _, typed := range []string{"ADA", "\uff41da", "ada ", "ada\u00a0", "a\u200bda", "a\u00adda"} {
		if so := c.signOn(typed, "x"); so.Outcome != "ok" || len(c.agents.asked) != 1 || c.agents.asked[0].Gateway != c.second.ID {
			t.Errorf("%q: %s, asked %d times", typed, so.Outcome, len(c.agents.asked))
		}
	}
}
