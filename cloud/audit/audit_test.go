package audit_test

import (
	"bufio"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"ldap-gateway/cloud/audit"
	"ldap-gateway/cloud/outbound"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/store/storetest"
)

const secret = "a secret that is long enough"

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// collector is a system outside: it takes what is told, or does what it is told instead.
type collector struct {
	*httptest.Server
	t *testing.T

	mu      sync.Mutex
	told    []audit.Line
	instead func(w http.ResponseWriter) // nil: it takes all
}

func collect(t *testing.T) *collector {
	c := &collector{t: t}
	c.Server = httptest.NewTLSServer(c)
	t.Cleanup(c.Close)
	return c
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.instead != nil {
		c.instead(w)
		return
	}
	body, err := io.ReadAll(r.Body)
	signature := r.Header.Get("X-Ldap-Cloud-Signature")
	at, sum, _ := strings.Cut(strings.TrimPrefix(signature, "t="), ",v1=")
	if err != nil || sum != outbound.Signature([]byte(secret), at, body) {
		c.t.Errorf("%v, signed %q", err, signature)
	}
	for line := range strings.Lines(string(body)) {
		var l audit.Line
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			c.t.Error(err)
		}
		c.told = append(c.told, l)
	}
}

func (c *collector) does(instead func(w http.ResponseWriter)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.instead = instead
}

// texts returns what was told, in its order.
func (c *collector) texts() (all []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range c.told {
		all = append(all, l.Text)
	}
	return all
}

// bench is a database of two environments, a clock and a collector.
type bench struct {
	t    *testing.T
	db   *store.Store
	envs []string
	now  time.Time
	c    *collector
}

func start(t *testing.T) *bench {
	db, err := store.Open(t.Context(), storetest.File(t))
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	b := &bench{t: t, db: db, now: time.Now(), c: collect(t)}
	for _, name := range []string{"one", "two"} {
		e := store.Environment{Name: name}
		must(t, db.CreateEnvironment(t.Context(), &e))
		b.envs = append(b.envs, e.ID)
	}
	return b
}

// target is the collector, as the flags of a node name it.
func (b *bench) target() *audit.Target {
	file := filepath.Join(b.t.TempDir(), "secret")
	must(b.t, os.WriteFile(file, []byte(secret+"\n"), 0o600))
	target, err := audit.Parse(b.c.URL+"/in", file, "")
	must(b.t, err)
	target.Roots = x509.NewCertPool()
	target.Roots.AddCert(b.c.Certificate())
	return target
}

// node is one that tells.
func (b *bench) node() *audit.Stream {
	return &audit.Stream{
		Store:  b.db,
		Target: b.target(),
		Logger: hclog.NewNullLogger(),
		Now:    func() time.Time { return b.now },
	}
}

// happens notes something in an environment.
func (b *bench) happens(env int, text string) {
	b.t.Helper()
	must(b.t, b.db.AddActivity(b.t.Context(), store.Activity{
		EnvironmentID: b.envs[env],
		At:            b.now,
		Action:        "x",
		Text:          text,
		Detail:        map[string]any{"n": 1.0},
	}))
}

// later lets a minute pass.
func (b *bench) later() { b.now = b.now.Add(time.Minute + time.Second) }

func (b *bench) wantTold(want ...string) {
	b.t.Helper()
	if got := b.c.texts(); !slices.Equal(got, want) {
		b.t.Errorf("told %q, want %q", got, want)
	}
}

// What happens is told once, in its order, and only once it is settled.
func TestTold(t *testing.T) {
	b := start(t)
	node := b.node()
	b.now = b.now.Add(-time.Hour)
	b.happens(0, "before")
	b.now = b.now.Add(time.Hour)
	must(t, node.Look(t.Context()))
	b.happens(0, "a\nb\x01\u2028c <script>")
	b.happens(0, "second")
	must(t, node.Look(t.Context()))
	b.wantTold()
	b.later()
	must(t, node.Look(t.Context()))
	must(t, node.Look(t.Context()))
	b.wantTold("a\nb\x01\u2028c <script>", "second")
	e := store.Environment{Name: "three"}
	must(t, b.db.CreateEnvironment(t.Context(), &e))
	b.envs = append(b.envs, e.ID)
	b.happens(2, "of a new environment")
	must(t, node.Look(t.Context()))
	b.later()
	must(t, node.Look(t.Context()))
	b.wantTold("a\nb\x01\u2028c <script>", "second", "of a new environment")
	if l := b.c.told[2]; l.Environment != e.ID || l.Action != "x" || l.Detail["n"] != 1.0 || l.ID == "" || l.At.IsZero() {
		t.Errorf("%+v", l)
	}
}

// Whatever a collector does instead of taking it, nothing is left out, nobody else waits,
// and the failure is known until it is over.
func TestNotTaken(t *testing.T) {
	ways := map[string]func(w http.ResponseWriter){
		"an error":  func(w http.ResponseWriter) { w.WriteHeader(http.StatusInternalServerError) },
		"too large": func(w http.ResponseWriter) { w.WriteHeader(http.StatusRequestEntityTooLarge) },
		"a redirect": func(w http.ResponseWriter) {
			w.Header().Set("Location", "https://192.0.2.1/")
			w.WriteHeader(http.StatusFound)
		},
		"not changed": func(w http.ResponseWriter) { w.WriteHeader(http.StatusNotModified) },
		"cut off":     func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			b := start(t)
			node := b.node()
			must(t, node.Look(t.Context()))
			for i := range 450 {
				b.happens(0, fmt.Sprint(i))
			}
			b.later()
			b.c.does(way)
			if node.Look(t.Context()) == nil || node.Failed() == nil {
				t.Error("it is said to be told")
			}
			b.c.does(nil)
			must(t, node.Look(t.Context())) // too early
			b.wantTold()
			b.later()
			must(t, node.Look(t.Context()))
			var want []string
			for i := range 450 {
				want = append(want, fmt.Sprint(i))
			}
			b.wantTold(want...)
			if err := node.Failed(); err != nil {
				t.Error(err)
			}
		})
	}
}

// Of nodes that tell at the same time, each activity is told by one; what a dead node had
// claimed another tells.
func TestManyNodesTell(t *testing.T) {
	b := start(t)
	nodes := []*audit.Stream{b.node(), b.node(), b.node()}
	must(t, nodes[0].Look(t.Context()))
	for i := range 1000 {
		b.happens(i%2, fmt.Sprint(i))
	}
	b.later()
	var wg sync.WaitGroup
	for _, n := range nodes {
		wg.Go(func() {
			if err := n.Look(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for b.c.texts(); len(b.c.texts()) < 1000; b.later() { // a claim may have been met
		must(t, nodes[0].Look(t.Context()))
	}
	seen := map[string]bool{}
	for _, text := range b.c.texts() {
		if seen[text] {
			t.Errorf("%s was told twice", text)
		}
		seen[text] = true
	}
	b.happens(0, "after a death")
	b.later()
	_, err := b.db.ClaimAudit(t.Context(), b.envs[0], nodes[0].Target.URL, b.now, b.now.Add(90*time.Second))
	must(t, err)
	must(t, nodes[1].Look(t.Context()))
	if len(b.c.texts()) != 1000 {
		t.Error("two tell")
	}
	b.later()
	b.later()
	must(t, nodes[1].Look(t.Context()))
	if len(b.c.texts()) != 1001 {
		t.Error("nobody goes on")
	}
}

// What cannot be a target is refused with the remedy, and no password is in an address.
func TestTargets(t *testing.T) {
	dir := t.TempDir()
	good, short := filepath.Join(dir, "good"), filepath.Join(dir, "short")
	must(t, os.WriteFile(good, []byte(secret), 0o600))
	must(t, os.WriteFile(short, []byte("0123456789abcde\n"), 0o600))
	rows := []struct{ url, secret, roots, want string }{
		{"https://siem.example.com/in?x=1", good, "", ""},
		{"syslog+tls://siem.example.com", "", "", ""},
		{"syslog+tls://[2001:db8::1]:7000", "", "", ""},
		{"syslog+tcp://127.0.0.1:514", "", "", ""},
		{"syslog+tcp://[::1]", "", "", ""},
		{"syslog+tcp://localhost", "", "", ""},
		{"syslog+tcp://siem.example.com", "", "", "use syslog+tls://siem.example.com"},
		{"syslog+tcp://10.0.0.1", "", "", "use syslog+tls"},
		{"syslog+udp://10.0.0.1", "", "", "not with syslog+udp"},
		{"http://siem.example.com/", good, "", "not with http"},
		{"https://siem.example.com/", "", "", "--audit-secret-file"},
		{"https://siem.example.com/", short, "", "fewer than 16 bytes"},
		{"https://siem.example.com/", filepath.Join(dir, "none"), "", "no such file"},
		{"https://user:password@siem.example.com/", good, "", "without a password"},
		{"https://siem.example.com/#here", good, "", "no https"},
		{"syslog+tls://siem.example.com/path", "", "", "port at most"},
		{"syslog+tls://siem.example.com", "", good, "no certificate in PEM"},
		{"siem.example.com", "", "", "no https"},
		{"", "", "", "no https"},
	}
	for _, r := range rows {
		_, err := audit.Parse(r.url, r.secret, r.roots)
		if r.want == "" && err != nil || r.want != "" && (err == nil || !strings.Contains(err.Error(), r.want)) {
			t.Errorf("%s: %v, want %q", r.url, err, r.want)
		}
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("%v", err)
		}
	}
}

// A line of syslog is one message, whatever is in it, and no receiver has to cut it.
func TestMessages(t *testing.T) {
	long := strings.Repeat("ä", 9000)
	all := []store.Activity{
		{ID: "1", Action: "user.created", Text: "plain"},
		{ID: "2", Action: "", Text: "line\nbreak <13>1 - - - - - - injected"},
		{ID: "3", Action: "an action with blanks and ümlauts that is far too long", Text: "x"},
		{ID: "4", Action: "x", Text: "much", Detail: map[string]any{"list": strings.Split(long, "")}},
		{ID: "5", Action: "x", Text: long, Subject: long, Actor: long, Detail: map[string]any{"x": long}},
	}
	text, err := audit.InSyslog(all, "a host")
	must(t, err)
	r := bufio.NewReader(strings.NewReader(string(text)))
	for _, a := range all {
		var n int
		if _, err := fmt.Fscanf(r, "%d ", &n); err != nil || n > 8192 {
			t.Fatalf("%s: %d bytes, %v", a.ID, n, err)
		}
		m := make([]byte, n)
		_, err := io.ReadFull(r, m)
		must(t, err)
		head, body, _ := strings.Cut(string(m), " - {")
		fields := strings.Split(head, " ")
		var l audit.Line
		if err := json.Unmarshal([]byte("{"+body), &l); err != nil || len(fields) != 6 || fields[0] != "<110>1" ||
			len(fields[5]) > 32 || strings.ContainsAny(string(m), "\n\r") {
			t.Errorf("%v: %s", err, m)
		}
		if l.ID != a.ID || l.Cut != (a.ID > "3") {
			t.Errorf("%+v", l)
		}
	}
}

// What is of a time and written later, by a node that is slow or whose clock is behind, is
// told all the same.
func TestLateIsTold(t *testing.T) {
	for _, late := range []time.Duration{5 * time.Second, 30 * time.Second, 50 * time.Second} {
		b := start(t)
		node := b.node()
		must(t, node.Look(t.Context()))
		at := b.now
		for range 12 { // it looks while others write
			b.now = b.now.Add(5 * time.Second)
			b.happens(0, "other")
			must(t, node.Look(t.Context()))
			if b.now.Sub(at) == late {
				must(t, b.db.AddActivity(t.Context(), store.Activity{EnvironmentID: b.envs[0], At: at, Text: "late"}))
			}
		}
		b.later()
		must(t, node.Look(t.Context()))
		if !slices.Contains(b.c.texts(), "late") {
			t.Errorf("written %s later it is passed over", late)
		}
	}
}
