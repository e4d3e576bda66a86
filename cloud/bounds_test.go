package cloud

import (
	"bytes"
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"ldap-gateway/cloud/hub"
	"ldap-gateway/cloud/metrics"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/store/storetest"
	"ldap-gateway/cloud/throttle"
)

// TestEveryBoundIsTold: whatever a bound bounds is in a table of SECURITY.md, whose last column
// has its name, and every row of those has a bound; each is in the metrics from the start, and
// an administrator can read what it is and what to do.
func TestEveryBoundIsTold(t *testing.T) {
	b, err := os.ReadFile("../.github/SECURITY.md")
	must(t, err)
	_, rest, found := strings.Cut(string(b), "## What a request without a credential can make\n")
	section, _, _ := strings.Cut(rest, "\n## ")
	if !found {
		t.Fatal("the section is gone")
	}
	var inTable []string
	for line := range strings.Lines(section) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|--") || strings.HasPrefix(line, "| what |") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		name := strings.Trim(cells[len(cells)-1], " `")
		if len(cells) == 5 && name == "–" && strings.Contains(cells[1], "nothing kept") && strings.TrimSpace(cells[2]) == name {
			continue // there is nothing to bound
		}
		if len(cells) != 5 || !slices.ContainsFunc(throttle.Kinds(), func(k throttle.Kind) bool { return k.String() == name }) {
			t.Errorf("no bound of ours is named by: %s", line)
		}
		inTable = append(inTable, name)
	}
	w := httptest.NewRecorder()
	metrics.New(metrics.Node{
		Links:       func() []hub.Live { return nil },
		Names:       func([]string) map[string]string { return nil },
		Size:        func(context.Context) (int64, error) { return 0, nil },
		Connections: func() (open, closed int) { return 0, 0 },
		Bounds:      &throttle.Bounds{},
	}).Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, k := range throttle.Kinds() {
		if !slices.Contains(inTable, k.String()) {
			t.Errorf("%s is in no table of SECURITY.md", k)
		}
		if !strings.Contains(w.Body.String(), fmt.Sprintf("\nldap_cloud_refused_total{bound=%q} 0\n", k)) {
			t.Errorf("%s is not in the metrics", k)
		}
		if int(k) >= len(tellings) || tellings[k].what == "" || tellings[k].remedy == "" || tellings[k].least == 0 {
			t.Errorf("nobody is told of %s", k)
		}
	}
}

// TestEveryThrottleHasItsBound looks through the code: each window, sample and queue that is
// kept somewhere is given a bound that counts.
func TestEveryThrottleHasItsBound(t *testing.T) {
	// Of the wrong passwords of a sign-on the store counts too, and so the room itself tells.
	byHand := map[string]bool{"signon.wrong": true}
	found := 0
	must(t, filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() || d.Name() == "throttle" {
			return err
		}
		code, kept := throttlesIn(t, path)
		for _, name := range kept {
			found++
			given := regexp.MustCompile(`\b` + name + `\.Bound(, [\w.]+)* = |\b` + name + `(:| :=| =) +&?throttle\.\w+\{[^}]*\bBound:`)
			if !given.Match(code) && !byHand[filepath.Base(path)+"."+name] {
				t.Errorf("%s: nobody counts what %s refuses", path, name)
			}
		}
		return nil
	}))
	if found < 20 {
		t.Errorf("%d were found", found)
	}
}

// throttlesIn returns the code of a folder, and how the throttles are called that it keeps.
func throttlesIn(t *testing.T, folder string) (code []byte, kept []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	must(t, err)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		b, err := os.ReadFile(file)
		must(t, err)
		code = append(code, regexp.MustCompile(`(?m)//.*$`).ReplaceAll(b, nil)...)
		parsed, err := parser.ParseFile(token.NewFileSet(), file, b, 0)
		must(t, err)
		ast.Inspect(parsed, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.Field:
				for _, name := range n.Names {
					if isThrottle(n.Type) {
						kept = append(kept, name.Name)
					}
				}
			case *ast.CompositeLit:
				if isThrottle(n.Type) && !slices.ContainsFunc(n.Elts, func(e ast.Expr) bool {
					pair, is := e.(*ast.KeyValueExpr)
					return is && fmt.Sprint(pair.Key) == "Bound"
				}) {
					t.Errorf("%s: one is made that nobody counts for: %s", file, b[n.Pos()-1:n.End()-1])
				}
			}
			return true
		})
	}
	return code, kept
}

// isThrottle tells whether a type is one of those that refuse.
func isThrottle(e ast.Expr) bool {
	of, is := e.(*ast.SelectorExpr)
	return is && fmt.Sprint(of.X) == "throttle" && slices.Contains([]string{"Window", "Sample", "Queue"}, of.Sel.Name)
}

// nodeOf is a node as far as its bounds go, with so many environments.
func nodeOf(t *testing.T, environments int) (n *node, log *bytes.Buffer) {
	t.Helper()
	db, err := store.Open(t.Context(), storetest.File(t))
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	for i := range environments {
		must(t, db.CreateEnvironment(t.Context(), &store.Environment{Name: fmt.Sprint(i)}))
	}
	log = &bytes.Buffer{}
	logger := hclog.New(&hclog.LoggerOptions{Output: log})
	return &node{Server: &Server{Logger: logger}, db: db, bounds: newBounds(&throttle.Bounds{})}, log
}

// TestBoundsThatBite: of every bound one alert tells, once it is worth it, whatever the number
// is, until hardly any are refused; it names the bound, what to do, and the network if there
// is one that stands out and one environment alone, and the log does in any case.
func TestBoundsThatBite(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	for _, environments := range []int{1, 2} {
		n, log := nodeOf(t, environments)
		for _, k := range throttle.Kinds() {
			log.Reset()
			bite := func(times int, at time.Time) {
				for range times {
					n.bounds.Of(k).Bite(at, "192.0.2.77")
				}
			}
			alerts := func(at time.Time, want int) (key string) {
				t.Helper()
				all := n.boundAlerts(t.Context(), at)
				if len(all) != want {
					t.Fatalf("%s: %d alerts: %+v", k, len(all), all)
				}
				if want == 0 {
					return ""
				}
				a := all[0]
				if a.Code != "boundReached" || !strings.Contains(a.Text, "("+k.String()+")") || !strings.Contains(a.Text, tellings[k].what) ||
					a.Remedy != tellings[k].remedy || strings.Contains(a.Text, "192.0.2.77") != (environments == 1) {
					t.Errorf("%s: %+v", k, a)
				}
				return a.Key
			}
			least := tellings[k].least
			bite(least-1, now)
			alerts(now, 0)
			bite(1, now)
			key := alerts(now, 1)
			bite(10*least, now.Add(time.Minute))
			if again := alerts(now.Add(time.Minute), 1); again != key {
				t.Errorf("%s: %s, then %s", k, key, again)
			}
			bite((least+3)/4, now.Add(11*time.Minute)) // less than is worth it, and still going on
			alerts(now.Add(12*time.Minute), 1)
			alerts(now.Add(30*time.Minute), 0)
			if lines := strings.Count(log.String(), "192.0.2.77"); lines != 1 {
				t.Errorf("%s: the log names the network %d times", k, lines)
			}
			now = now.Add(time.Hour)
		}
	}
}
