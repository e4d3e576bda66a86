package configs

import (
	"path/filepath"
	"slices"
	"testing"
)

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

func TestAuditOfTheFile(t *testing.T) {
	path, src := sampleSource(t, Minimal)
	for name, c := range map[string]struct {
		block string
		want  Audit
	}{
		"default":  {"", Audit{MaxSize: 10 << 20, Keep: 5}},
		"off":      {"audit {\n path = \"\"\n}\n", Audit{Off: true, MaxSize: 10 << 20, Keep: 5}},
		"relative": {"audit {\n path = \"a.jsonl\"\n max_size_mb = 1\n keep = 0\n}\n", Audit{Path: filepath.Join(filepath.Dir(path), "a.jsonl"), MaxSize: 1 << 20}},
	} {
		t.Run(name, func(t *testing.T) {
			g, err := Parse(path, append(slices.Clone(src), c.block...))
			if err != nil || g.Audit != c.want {
				t.Errorf("%v %+v", err, g.Audit)
			}
		})
	}
}

func TestMetricsAreForLoopbackOnly(t *testing.T) {
	path, src := sampleSource(t, Minimal)
	for at, good := range map[string]bool{"127.0.0.1:9389": true, "[::1]:9389": true, "localhost:1": true, "0.0.0.0:9389": false, ":9389": false, "10.0.0.1:1": false, "127.0.0.1": false, "": false} {
		t.Run(at, func(t *testing.T) {
			g, err := Parse(path, append(slices.Clone(src), "metrics {\n listen = \""+at+"\"\n}\n"...))
			if good != (err == nil) || good && g.Metrics.Listen != at {
				t.Error(err)
			}
		})
	}
	if g, err := Parse(path, src); err != nil || g.Metrics.Listen != "" {
		t.Error(err, g)
	}
}
