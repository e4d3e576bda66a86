package metrics_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"go.yaml.in/yaml/v3"

	"ldap-gateway/cloud/hub"
	"ldap-gateway/cloud/metrics"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/throttle"
	"ldap-gateway/cloudlink/wire"
)

func scrape(t *testing.T, m *metrics.Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	b, err := io.ReadAll(w.Body)
	if err != nil || w.Code != http.StatusOK {
		t.Fatal(w.Code, err)
	}
	return string(b)
}

func filled(t *testing.T) *metrics.Metrics {
	t.Helper()
	links := []hub.Live{{
		Gateway:  "g",
		Instance: "a",
	}, {Gateway: "g", Instance: "b", Beat: wire.Heartbeat{Problems: []wire.Problem{{Code: "x"}}}}}
	bounds := &throttle.Bounds{}
	bounds.Of(throttle.Messages).Bite(time.Now(), "192.0.2.77")
	m := metrics.New(metrics.Node{
		Version: "1.2.3",
		Names: func(gateways []string) map[string]string {
			if !slices.Equal(gateways, []string{"g", "g"}) && !slices.Equal(gateways, []string{"g"}) {
				t.Errorf("the names of %q", gateways)
			}
			return map[string]string{"g": `Head "quarters"`}
		},
		Links:       func() []hub.Live { return links },
		Size:        func(context.Context) (int64, error) { return 4096, nil },
		Connections: func() (int, int) { return 3, 7 },
		Bounds:      bounds,
	})
	m.SignOn(store.SignOn{Method: "password", Outcome: "ok", Username: "alice", Duration: 20 * time.Millisecond})
	m.SignOn(store.SignOn{Method: "password", Outcome: "invalidCredentials", Username: "alice"})
	console := func(*http.Request) string { return "console" }
	h := m.Requests(hclog.NewNullLogger(), console, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/none" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte("x"))
	}))
	ids := map[string]bool{}
	for _, path := range []string{"/", "/none", "/none?user=alice"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		ids[w.Header().Get("X-Request-Id")] = true
	}
	if len(ids) != 3 || ids[""] {
		t.Errorf("IDs %v", ids)
	}
	return m
}

func TestMetrics(t *testing.T) {
	text := scrape(t, filled(t))
	for _, line := range []string{`ldap_cloud_sign_ons_total{method="password",outcome="ok"} 1`, `ldap_cloud_sign_on_seconds_bucket{method="password",le="0.025"} 2`,
		`ldap_cloud_http_requests_total{room="console",status="404"} 2`, `ldap_cloud_http_requests_total{room="console",status="200"} 1`, `ldap_cloud_info{version="1.2.3"} 1`,
		`ldap_cloud_instances{gateway="g",health="healthy",name="Head \"quarters\""} 1`,
		`ldap_cloud_instances{gateway="g",health="degraded",name="Head \"quarters\""} 1`, "ldap_cloud_connections 3", "ldap_cloud_connections_closed_total 7",
		`ldap_cloud_refused_total{bound="messages"} 1`, `ldap_cloud_refused_total{bound="signOns"} 0`,
		`ldap_cloud_sign_ons_total{method="password",outcome="busy"} 0`, `ldap_cloud_sign_ons_total{method="idp",outcome="ok"} 0`, "go_goroutines ", "process_resident_memory_bytes "} {
		if !strings.Contains(text, "\n"+line) {
			t.Errorf("%q is missing", line)
		}
	}
	if strings.Contains(text, "alice") || strings.Contains(text, "192.0.2") {
		t.Error("a person or a network is named")
	}
}

// TestRules holds the rules against what there is to look at; those of agents their own metrics' test does.
func TestRules(t *testing.T) {
	b, err := os.ReadFile("../../installer/prometheus-rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Alert, Expr string
				Labels      struct{ Severity string }
				Annotations struct{ Summary, Remedy string }
			}
		}
	}
	if err := yaml.Unmarshal(b, &file); err != nil || len(file.Groups) != 2 || len(file.Groups[0].Rules) < 6 {
		t.Fatalf("%+v, %v", file, err)
	}
	text := scrape(t, filled(t))
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			names := regexp.MustCompile(`(?:ldap_cloud|ldap_gateway|go|process)_[a-z_]+`).FindAllString(r.Expr, -1)
			if len(names) == 0 && !strings.Contains(r.Expr, "up{") || r.Alert == "" || r.Annotations.Summary == "" ||
				r.Annotations.Remedy == "" || !slices.Contains([]string{"warning", "critical"}, r.Labels.Severity) {
				t.Errorf("%+v says too little", r)
			}
			for _, n := range names {
				if g.Name == "ldap-cloud" && !strings.Contains(text, "\n"+n) {
					t.Errorf("%s: there is no %s", r.Alert, n)
				}
			}
		}
	}
}

// TestDashboard holds the dashboard against what there is to draw.
func TestDashboard(t *testing.T) {
	b, err := os.ReadFile("../../installer/grafana.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(b, &dashboard); err != nil || len(dashboard.Panels) < 6 {
		t.Fatalf("%d panels, %v", len(dashboard.Panels), err)
	}
	text := scrape(t, filled(t))
	for _, p := range dashboard.Panels {
		for _, target := range p.Targets {
			names := regexp.MustCompile(`(?:ldap_cloud|go|process)_[a-z_]+`).FindAllString(target.Expr, -1)
			if len(names) == 0 {
				t.Errorf("%s draws nothing: %s", p.Title, target.Expr)
			}
			for _, n := range names {
				if !strings.Contains(text, "\n"+n) {
					t.Errorf("%s: there is no %s", p.Title, n)
				}
			}
		}
	}
}
