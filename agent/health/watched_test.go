package health

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"ldap-gateway/agent/agenttest"
	"ldap-gateway/directory"
)

// TestWhatWatchesHasMetrics holds the dashboard and the rules against what an agent tells.
func TestWhatWatchesHasMetrics(t *testing.T) {
	var told strings.Builder
	Status{
		Servers:  []directory.ServerState{{URL: "ldaps://dc", State: "down"}},
		Problems: []Problem{{Code: "x", Severity: "error"}},
	}.writeMetrics(&told)
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	text, err := os.ReadFile("../../installer/grafana-gateway.json")
	agenttest.Must(t, err)
	agenttest.Must(t, json.Unmarshal(text, &dashboard))
	asked := map[string]string{}
	for _, p := range dashboard.Panels {
		for _, target := range p.Targets {
			asked[p.Title+": "+target.Expr] = target.Expr
		}
	}
	var rules struct {
		Groups []struct {
			Name  string
			Rules []struct{ Alert, Expr string }
		}
	}
	text, err = os.ReadFile("../../installer/prometheus-rules.yml")
	agenttest.Must(t, err)
	agenttest.Must(t, yaml.Unmarshal(text, &rules))
	for _, g := range rules.Groups {
		for _, r := range g.Rules {
			if g.Name == "ldap-gateway" && !strings.Contains(r.Expr, "up{job") {
				asked[r.Alert] = r.Expr
			}
		}
	}
	if len(asked) < 11 {
		t.Errorf("%d are asked for", len(asked))
	}
	for what, expr := range asked {
		names := regexp.MustCompile(`ldap_gateway_[a-z_]+`).FindAllString(expr, -1)
		if len(names) == 0 {
			t.Errorf("%s draws nothing", what)
		}
		for _, n := range names {
			if !regexp.MustCompile(`(?m)^` + n + `(\{| )`).MatchString(told.String()) {
				t.Errorf("%s: there is no %s", what, n)
			}
		}
	}
}
