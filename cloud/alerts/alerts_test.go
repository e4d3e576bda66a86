package alerts_test

import (
	"bufio"
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"ldap-gateway/cloud/alerts"
	"ldap-gateway/cloud/hub"
	"ldap-gateway/cloud/outbound"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/store/storetest"
	"ldap-gateway/cloud/vault"
	"ldap-gateway/cloudlink/wire"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// site is a watch over a real store, with one gateway, and a webhook that listens.
type site struct {
	*alerts.Watch
	t       *testing.T
	env     store.Environment
	gateway store.Gateway
	live    []hub.Live
	now     time.Time
	hook    *httptest.Server
	secret  string

	mu     sync.Mutex
	heard  []string
	broken bool
}

func (s *site) Live(string) []hub.Live { return s.live }

func start(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, now: time.Now().UTC()}
	db, err := store.Open(t.Context(), storetest.File(t))
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	s.env = store.Environment{Name: "Example"}
	must(t, db.CreateEnvironment(t.Context(), &s.env))
	population := store.Population{EnvironmentID: s.env.ID, Name: "Default"}
	must(t, db.CreatePopulation(t.Context(), &population))
	s.gateway = store.Gateway{
		EnvironmentID: s.env.ID,
		Name:          "HQ",
		Vendor:        "OpenLDAP",
		Enabled:       true,
		UserTypes:     []store.UserType{{Name: "Staff", PopulationID: population.ID}},
	}
	must(t, db.CreateGateway(t.Context(), &s.gateway))
	s.hook = httptest.NewTLSServer(http.HandlerFunc(s.hear))
	t.Cleanup(s.hook.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.hook.Certificate())
	v, err := vault.New(make([]byte, 32))
	must(t, err)
	s.Watch = &alerts.Watch{
		Store:  db,
		Links:  s,
		Logger: hclog.NewNullLogger(),
		Now:    func() time.Time { return s.now },
		Post: &alerts.Post{
			Vault:   v,
			Allowed: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
			RootCAs: roots,
			URL:     "https://cloud.example.com",
		},
	}
	return s
}

// hear takes a call when its signature is right.
func (s *site) hear(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	must(s.t, err)
	at, signature, _ := strings.Cut(strings.TrimPrefix(r.Header.Get("X-Ldap-Cloud-Signature"), "t="), ",v1=")
	s.mu.Lock()
	defer s.mu.Unlock()
	var m alerts.Message
	must(s.t, json.Unmarshal(body, &m))
	if s.broken || signature != outbound.Signature([]byte(s.secret), at, body) {
		s.heard = append(s.heard, "failed "+m.Code)
		http.Redirect(w, r, "https://127.0.0.1:1/elsewhere", http.StatusFound)
		return
	}
	s.heard = append(s.heard, m.State+" "+m.Code)
}

func (s *site) channel(kind, target string) store.AlertChannel {
	s.t.Helper()
	c, secret, err := s.Post.Make(s.env.ID, "c-"+target, kind, target)
	must(s.t, err)
	must(s.t, s.Store.CreateAlertChannel(s.t.Context(), &c))
	s.secret = secret
	return c
}

// later looks again after a time and returns what was heard meanwhile.
func (s *site) later(d time.Duration) string {
	s.t.Helper()
	s.now = s.now.Add(d)
	must(s.t, s.Look(s.t.Context()))
	s.mu.Lock()
	defer s.mu.Unlock()
	all := strings.Join(s.heard, ", ")
	s.heard = nil
	return all
}

func (s *site) expect(d time.Duration, want string) {
	s.t.Helper()
	if got := s.later(d); got != want {
		s.t.Errorf("after %s: %q, want %q", d, got, want)
	}
}

func beat(problems ...wire.Problem) hub.Live {
	return hub.Live{Instance: "i", Hostname: "gw1", Beat: wire.Heartbeat{Problems: problems}}
}

// Each alert is told once, again after a day, and once when it is over, by the next look,
// however long ago it was told last; one that comes back is told as a new one.
func TestTold(t *testing.T) {
	s := start(t)
	s.channel(alerts.Webhook, s.hook.URL+"/hook")
	s.expect(0, "")
	s.expect(30*time.Second, "") // it may be over soon
	s.expect(30*time.Second, "open noInstance")
	s.expect(time.Hour, "")
	s.expect(24*time.Hour, "open noInstance")
	for _, after := range []time.Duration{0, time.Minute, 3 * time.Minute, 5 * time.Hour, 23*time.Hour + 57*time.Minute} {
		s.expect(after, "")
		s.live = []hub.Live{beat(), beat()}
		s.expect(30*time.Second, "ended noInstance")
		s.expect(30*time.Second, "")
		s.live = nil
		s.expect(30*time.Second, "")
		s.expect(30*time.Second, "")
		s.expect(30*time.Second, "open noInstance")
	}
	s.live = []hub.Live{beat(), beat(wire.Problem{
		Code:     "canary",
		Text:     "lost",
		Severity: "warning",
	}, wire.Problem{Code: "observing", Severity: wire.SeverityInfo})}
	s.live[1].Beat.ResponseTimeMillis = 2500
	s.later(0)
	s.expect(time.Minute, "ended noInstance, open canary, open slowDirectory")
}

func TestQuiet(t *testing.T) {
	s := start(t)
	s.channel(alerts.Webhook, s.hook.URL)
	s.later(0)
	all, err := s.Store.Alerts(t.Context(), s.env.ID)
	if err != nil || len(all) != 1 || !strings.Contains(all[0].Text, "HQ") {
		t.Fatalf("%+v, %v", all, err)
	}
	must(t, s.Store.QuietAlert(t.Context(), s.env.ID, all[0].Key, s.now.Add(time.Hour)))
	s.expect(30*time.Minute, "")
	s.expect(31*time.Minute, "open noInstance")
}

// What fails is tried again, and said; a redirect is no success and not followed.
func TestTriedAgain(t *testing.T) {
	s := start(t)
	c := s.channel(alerts.Webhook, s.hook.URL)
	s.broken = true
	s.later(0)
	s.expect(time.Minute, "failed noInstance")
	s.expect(time.Minute, "")
	if got, err := s.Store.AlertChannel(t.Context(), s.env.ID, c.ID); err != nil ||
		!strings.Contains(got.Problem, "302") {
		t.Errorf("%q, %v", got.Problem, err)
	}
	s.broken = false
	s.expect(time.Minute, "open noInstance")
	if got, err := s.Store.AlertChannel(t.Context(), s.env.ID, c.ID); err != nil || got.Problem != "" {
		t.Errorf("%q, %v", got.Problem, err)
	}
}

// Of many nodes one tells.
func TestToldOnceByManyNodes(t *testing.T) {
	s := start(t)
	s.channel(alerts.Webhook, s.hook.URL)
	s.later(0)
	s.now = s.now.Add(2 * time.Minute)
	var nodes sync.WaitGroup
	for range 8 {
		nodes.Go(func() { must(t, s.Look(t.Context())) })
	}
	nodes.Wait()
	if got := strings.Join(s.heard, ", "); got != "open noInstance" {
		t.Error(got)
	}
}

// TestWhatIsKeptOfAnInstance: that its policy changed and that it said what none says are
// told for a day, and name it.
func TestWhatIsKeptOfAnInstance(t *testing.T) {
	s := start(t)
	s.channel(alerts.Webhook, s.hook.URL)
	must(t, s.Store.CreatePairing(t.Context(), &store.Pairing{
		EnvironmentID: s.env.ID,
		GatewayID:     s.gateway.ID,
		CodeHash:      []byte("x"),
		ExpiresAt:     s.now.Add(time.Hour),
	}))
	i := store.Instance{Hostname: "gw1"}
	_, err := s.Store.RedeemPairing(t.Context(), []byte("x"), s.now, &i)
	must(t, err)
	report := func(hash string) {
		must(t, s.Store.ReportInstance(t.Context(), i.ID, store.InstanceReport{PolicyHash: hash, At: s.now}))
	}
	s.live = []hub.Live{beat(), beat()}
	report("a")
	report("a")
	s.later(0)
	s.expect(time.Minute, "")
	report("b")
	s.later(time.Second)
	s.expect(time.Minute, "open policyChanged")
	s.expect(25*time.Hour, "ended policyChanged")
	must(t, s.Store.NoteBadAnswer(t.Context(), i.ID, "it sent what is no message", s.now))
	s.later(time.Second)
	s.expect(time.Minute, "open badAnswers")
	s.expect(25*time.Hour, "ended badAnswers")
}

// A webhook reaches nothing of the cloud's own network, whatever it is called. One that names an
// address of it is refused when it is made, and told so.
func TestWebhooksReachPublicAddressesOnly(t *testing.T) {
	s := start(t)
	s.Post.Allowed = nil
	_, port, err := net.SplitHostPort(strings.TrimPrefix(s.hook.URL, "https://"))
	must(t, err)
	for _, host := range []string{"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "10.1.2.3", "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "[fd00::1]",
		"[fe80::1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "224.0.0.1", "255.255.255.255", "198.18.0.1", "2130706433", "0x7f.1"} {
		at := "https://" + host + ":" + port + "/"
		_, _, told := s.Post.Make(s.env.ID, "c", alerts.Webhook, at)
		if named := host != "2130706433" && host != "0x7f.1"; errors.Is(told, alerts.ErrChannel) != named {
			t.Errorf("%s: %v", host, told)
		}
		c, secret, err := s.Post.Make(s.env.ID, "c", alerts.Webhook, "https://alerts.example.com/")
		must(t, err)
		c.Target, s.secret = at, secret
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		if err := s.Post.Send(ctx, c, alerts.Trial(s.env, s.now)); err == nil ||
			!strings.Contains(err.Error(), "not public") && !strings.Contains(err.Error(), "lookup") {
			t.Errorf("%s: %v", host, err)
		}
		cancel()
	}
	if len(s.heard) > 0 {
		t.Errorf("%q", s.heard)
	}
	for _, bad := range []string{
		"http://example.com",
		"https://",
		"ftp://example.com",
		"file:///etc/passwd",
		"https://u:p@example.com",
		"javascript:alert(1)",
		"",
	} {
		if _, _, err := s.Post.Make(s.env.ID, "c", alerts.Webhook, bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

// mailServer starts a real one, which writes what it gets into a folder.
func mailServer(t *testing.T) (address, folder string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	address, folder = l.Addr().String(), filepath.Join(t.TempDir(), "mail")
	must(t, l.Close())
	ctx, cancel := context.WithCancel(context.Background())
	c := exec.CommandContext(ctx, "aiosmtpd", "-n", "-l", address, "-c", "aiosmtpd.handlers.Mailbox", folder)
	must(t, c.Start())
	t.Cleanup(func() { cancel(); _ = c.Wait() })
	for {
		conn, err := net.Dial("tcp", address) // the test's own time ends it
		if err != nil {
			continue
		}
		line, err := bufio.NewReader(conn).ReadString('\n')
		if conn.Close(); err == nil && strings.HasPrefix(line, "220") {
			return address, folder
		}
	}
}

// A mail arrives at a real server, and what an agent says makes no header of it.
func TestMail(t *testing.T) {
	s := start(t)
	address, folder := mailServer(t)
	if _, _, err := s.Post.Make(s.env.ID, "c", alerts.Email, "ops@example.com"); err == nil {
		t.Error("mail without a server")
	}
	s.Post.SMTP, s.Post.From = address, "cloud@example.com"
	for _, bad := range []string{"ops", "Ops <ops@example.com>", "ops@example.com\r\nBcc: x@example.com", ""} {
		if _, _, err := s.Post.Make(s.env.ID, "c", alerts.Email, bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	s.channel(alerts.Email, "ops@example.com")
	s.live = []hub.Live{beat(), beat(wire.Problem{
		Code:     "x",
		Text:     "evil\r\nBcc: thief@example.com\r\n\r\nbody é",
		Severity: "warning",
		Remedy:   "do this",
	})}
	s.later(0)
	s.later(time.Minute)
	files, err := filepath.Glob(filepath.Join(folder, "new", "*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%q, %v", files, err)
	}
	b, err := os.ReadFile(files[0])
	must(t, err)
	head, body, _ := strings.Cut(strings.ReplaceAll(string(b), "\r\n", "\n"), "\n\n")
	text, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(body, "\n", ""))
	must(t, err)
	if strings.Contains(head, "\nBcc:") || !strings.Contains(head, "To: ops@example.com") ||
		!strings.Contains(string(text), "body é") || !strings.Contains(string(text), "What helps: do this") ||
		!strings.Contains(string(text), "/console/settings/alerts") {
		t.Errorf("%s\n\n%s", head, text)
	}
}

func TestDisabledGatewaysAreNotMissed(t *testing.T) {
	s := start(t)
	s.gateway.Enabled = false
	must(t, s.Store.UpdateGateway(t.Context(), &s.gateway))
	s.later(0)
	all, err := s.Store.Alerts(t.Context(), s.env.ID)
	if err != nil || len(all) != 0 {
		t.Errorf("%s, %v", fmt.Sprint(slices.Clone(all)), err)
	}
}

// TestMembershipsThatCannotBeTold are an alert for each reason, with the groups by name.
func TestMembershipsThatCannotBeTold(t *testing.T) {
	s := start(t)
	s.live = []hub.Live{beat(), beat()}
	s.channel("webhook", s.hook.URL)
	u := store.User{EnvironmentID: s.env.ID, Username: "ada", PopulationID: s.gateway.UserTypes[0].PopulationID}
	var groups []*store.Group
	for i := range 25 {
		groups = append(groups, &store.Group{
			EnvironmentID: s.env.ID,
			Name:          fmt.Sprintf("cn=g%02d", i),
			DisplayName:   fmt.Sprintf("G%02d", i),
			SourceType:    store.SourceGateway,
			SourceID:      s.gateway.ID,
		})
	}
	doubt := func(reason string, of []*store.Group) {
		must(t, s.Store.Provision(t.Context(), func(tx *store.Tx) error {
			for _, g := range of {
				must(t, tx.DoubtMemberships(t.Context(), s.env.ID, u.ID, []string{g.ID}, reason, s.now))
			}
			return nil
		}))
	}
	must(t, s.Store.Provision(t.Context(), func(tx *store.Tx) error {
		must(t, tx.CreateUser(t.Context(), &u))
		must(t, tx.CreateGroups(t.Context(), groups))
		for _, g := range groups {
			must(t, tx.AddMemberships(t.Context(), s.env.ID, u.ID, []store.Joined{{GroupID: g.ID}}, s.now))
		}
		return nil
	}))
	doubt("notVisible", groups[:24])
	doubt("computed", groups[24:])
	if got := s.later(0) + s.later(2*time.Minute); got != "open membershipUntold, open membershipUntold" {
		t.Errorf("heard %q", got)
	}
	all, err := s.Store.Alerts(t.Context(), s.env.ID)
	must(t, err)
	for _, a := range all {
		hidden := strings.HasSuffix(a.Key, "/notVisible")
		if hidden != strings.Contains(a.Text, "G00 (1), G01 (1)") ||
			hidden != strings.Contains(a.Text, "4 more groups") || hidden == strings.Contains(a.Text, "G24 (1)") ||
			a.Remedy == "" {
			t.Errorf("%+v", a)
		}
	}
	doubt("", groups)
	s.later(time.Minute)
	if all, err := s.Store.Alerts(t.Context(), s.env.ID); err != nil || len(all) != 0 {
		t.Errorf("%+v, %v", all, err)
	}
}

// TestAgentTooOldToShowThatSomebodyLeft matters where updates are on.
func TestAgentTooOldToShowThatSomebodyLeft(t *testing.T) {
	s := start(t)
	old := beat()
	old.Wire, old.Software = 1, "0.1"
	s.live = []hub.Live{old, beat()}
	s.channel("webhook", s.hook.URL)
	if got := s.later(0) + s.later(2*time.Minute); got != "" {
		t.Errorf("heard %q", got)
	}
	s.gateway.UserTypes[0].UpdateOnSignOn = true
	must(t, s.Store.UpdateGateway(t.Context(), &s.gateway))
	if got := s.later(0) + s.later(2*time.Minute); got != "open oldAgent" {
		t.Errorf("heard %q", got)
	}
}
