package configs

import "testing"

// TestPolicyOfTheFile reads what the sample only shows.
func TestPolicyOfTheFile(t *testing.T) {
	path, src := sampleSource(t, Minimal)
	g, err := Parse(path, src)
	if err != nil {
		t.Fatal(err)
	}
	if g.Policy.Observe || g.Policy.SignOnsPerPerson != 30 {
		t.Errorf("defaults: %+v", g.Policy)
	}
	g, err = Parse(path, append(src, "policy {\n mode = \"Observe\"\n sign_ons_per_person_per_minute = 7\n}\n"...))
	if err != nil || !g.Policy.Observe || g.Policy.SignOnsPerPerson != 7 {
		t.Errorf("%v %+v", err, g)
	}
}
