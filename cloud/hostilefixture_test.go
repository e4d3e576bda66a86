package cloud

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/hashicorp/go-hclog"

	"ldap-gateway/cloud/api/client"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/throttle"
	"ldap-gateway/cloudlink"
	"ldap-gateway/cloudlink/wire"
)

// siege is a whole cloud in the process, with two gateways: the agent of one
// behaves well, and those of the other do not.
type siege struct {
	t       testing.TB
	url     string
	api     *client.Client
	secret  string // of the administrator
	data    string // folder
	server  *Server
	stop    func() // ends the cloud
	bounds  *throttle.Bounds
	browser *http.Client
	good    *goodAgent
	honest  place
	hostile place
	heap    uint64 // bytes in use at the start
}

// place is a gateway with its user type.
type place struct{ Gateway, UserType string }

// mostHeap is how much more the cloud may hold after a case than at the start,
// with all that the case left alive: links, presence, sealing keys, caches.
const mostHeap = 48 << 20

func startSiege(t testing.TB) *siege {
	t.Helper()
	return startSiegeOn(t, func(*store.Store, string) {})
}

// startSiegeOn starts it on a database that fill has written to.
func startSiegeOn(t testing.TB, fill func(db *store.Store, env string)) *siege {
	t.Helper()
	data := t.TempDir() + "/cloud"
	s := startSiegeAt(t, InFolder(data), fill)
	s.data = data
	return s
}

// startSiegeAt starts it on such a database, which is somewhere.
func startSiegeAt(t testing.TB, database string, fill func(db *store.Store, env string)) *siege {
	t.Helper()
	key := "" // beside the file
	if store.IsPostgres(database) {
		key = t.TempDir() + "/master.key"
	}
	setup, err := Init(t.Context(), database, key, "E", "http://127.0.0.1")
	must(t, err)
	db, err := store.Open(t.Context(), database)
	must(t, err)
	fill(db, setup.EnvironmentID)
	must(t, db.Close())
	s := &siege{t: t, secret: setup.AdminSetup, bounds: &throttle.Bounds{}}
	s.server = &Server{
		Database:  database,
		MasterKey: key,
		Listen:    "127.0.0.1:0",
		Logger:    hclog.NewNullLogger(),
		Bounds:    s.bounds,
		heartbeat: 2 * time.Second,
	}
	s.run()
	t.Cleanup(func() { s.stop() })
	s.api = &client.Client{URL: s.url, Environment: setup.EnvironmentID, ID: setup.ClientID, Secret: setup.ClientSecret}
	s.honest, s.hostile = s.makeGateway("A honest"), s.makeGateway("B hostile")
	s.startGood()
	s.heap = heapInUse()
	return s
}

// run starts the cloud.
func (s *siege) run() {
	s.t.Helper()
	ready, ended := make(chan string, 1), make(chan error, 1)
	s.server.Ready = func(u string) { ready <- u }
	ctx, stop := context.WithCancel(context.Background())
	go func() { ended <- s.server.Run(ctx) }()
	s.stop = sync.OnceFunc(func() { stop(); must(s.t, <-ended) })
	select {
	case s.url = <-ready:
	case err := <-ended:
		s.t.Fatal(err)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (s *siege) makeGateway(name string) place {
	s.t.Helper()
	var g struct {
		ID        string
		UserTypes []struct{ ID string }
	}
	mapping := func(name, attribute string) map[string]string {
		return map[string]string{"name": name, "value": "${ldapAttributes." + attribute + "}"}
	}
	s.must("POST", "/gateways", map[string]any{
		"name":    name,
		"type":    "LDAP",
		"enabled": true,
		"vendor":  "OpenLDAP",
		"userTypes": []any{map[string]any{
			"name":                                 "Staff",
			"passwordAuthority":                    "LDAP",
			"searchBaseDn":                         "dc=x",
			"orderedCorrelationAttributes":         []string{"entryUUID"},
			"updateUserOnSuccessfulAuthentication": true,
			"newUserLookup": map[string]any{"ldapFilterPattern": "(uid=${identifier})", "attributeMappings": []any{
				mapping("username", "uid"), mapping("memberOfExternalGroups", "memberOf")}},
		}},
	}, &g)
	return place{g.ID, g.UserTypes[0].ID}
}

func (s *siege) must(method, path string, in, out any) {
	s.t.Helper()
	must(s.t, s.do(method, path, in, out))
}

func (s *siege) do(method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	return s.api.Do(ctx, method, path, in, out)
}

// signedOn is what a sign-on came to.
type signedOn struct {
	Outcome    string
	Reason     string
	User       struct{ ID, Username string }
	Groups     []struct{ ID, Name string }
	Membership struct{ Verdict string }
}

func (s *siege) signOn(name string) (r signedOn) {
	s.t.Helper()
	s.must("POST", "/signOns", map[string]string{"username": name, "password": "secret"}, &r)
	return r
}

// stands has the cloud serve the well-behaved agent, whose people have what they
// had, in little memory.
func (s *siege) stands(t *testing.T) {
	t.Helper()
	from := time.Now()
	r := s.signOn("alice")
	if r.Outcome != "ok" || len(r.Groups) != 1 || r.Groups[0].Name != "cn=staff,dc=x" || r.User.Username != "alice" {
		t.Errorf("afterwards: %+v", r)
	}
	if took := time.Since(from); took > 5*time.Second {
		t.Errorf("afterwards a sign-on took %s", took)
	}
	if now := heapInUse(); now > s.heap+mostHeap {
		t.Errorf("the heap has grown from %d to %d MiB", s.heap>>20, now>>20)
	}
}

func heapInUse() uint64 {
	runtime.GC()
	runtime.GC() // what finalizers let go of
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// await polls until the condition holds, and fails the test after 20 seconds.
func (s *siege) await(t testing.TB, what string, holds func() bool) {
	t.Helper()
	limit := time.NewTimer(20 * time.Second)
	defer limit.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-limit.C:
			t.Fatalf("within 20 seconds it did not come true that %s", what)
		}
	}
}

// credential is a paired instance with its keys.
type credential struct {
	instance string
	key      ed25519.PrivateKey
	seal     []byte
}

// pair makes an instance of a gateway, as an administrator and an agent do.
func (s *siege) pair(p place, hostname string) credential {
	s.t.Helper()
	var code struct{ Code string }
	s.must("POST", "/gateways/"+p.Gateway+"/pairings", struct{}{}, &code)
	public, private, err := ed25519.GenerateKey(nil)
	must(s.t, err)
	sealPrivate, sealPublic, err := wire.NewSealKey()
	must(s.t, err)
	body, err := json.Marshal(wire.PairRequest{
		Code:      code.Code,
		PublicKey: public,
		SealKey:   sealPublic,
		Hostname:  hostname,
		Proof:     ed25519.Sign(private, wire.PairProof(code.Code, public, sealPublic)),
	})
	must(s.t, err)
	resp, err := http.Post(s.url+wire.PathPair, "application/json", bytes.NewReader(body))
	must(s.t, err)
	defer resp.Body.Close()
	var a wire.PairAnswer
	must(s.t, json.NewDecoder(resp.Body).Decode(&a))
	if a.Instance == "" {
		s.t.Fatalf("not paired: %s", resp.Status)
	}
	return credential{a.Instance, private, sealPrivate}
}

// proof is a fresh header for a dial.
func (s *siege) proof(c credential, epoch uint64) string {
	s.t.Helper()
	h, err := wire.NewAssertion(c.instance, s.url, epoch, time.Now()).Sign(c.key)
	must(s.t, err)
	return h
}

// knock dials with a header and returns the link, or why it was refused.
func (s *siege) knock(header string) (*websocket.Conn, wire.RefusalCode) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	ws, resp, err := websocket.Dial(ctx, s.url+wire.PathConnect, &websocket.DialOptions{
		HTTPHeader:   http.Header{"Authorization": {header}},
		Subprotocols: []string{wire.Subprotocol},
	})
	if err == nil {
		ws.SetReadLimit(wire.MaxFrame)
		return ws, ""
	}
	var r wire.Refusal
	if resp == nil || json.NewDecoder(resp.Body).Decode(&r) != nil {
		return nil, "NO ANSWER"
	}
	return nil, r.Code
}

// goodAgent answers for alice, whose group is staff, and knows nobody else.
type goodAgent struct {
	credential
	opener *wire.Opener

	mu    sync.Mutex
	onAsk func(id string) *wire.SignOnResult // nil: nothing special
	teams func(name string) []string         // the groups of more people than alice; nil: there are none
}

func (s *siege) startGood() {
	s.t.Helper()
	g := &goodAgent{credential: s.pair(s.honest, "good")}
	var err error
	g.opener, err = wire.NewOpener(g.instance, g.seal)
	must(s.t, err)
	base, err := url.Parse(s.url)
	must(s.t, err)
	link := &cloudlink.Link{
		URL:        base,
		Client:     &http.Client{Transport: &http.Transport{}},
		Handler:    g,
		DrainTime:  time.Second,
		Credential: cloudlink.Credential{Instance: g.instance, Key: g.key},
		Hello:      func() wire.Hello { return wire.Hello{Software: "t", Hostname: "good"} },
		Heartbeat:  func() wire.Heartbeat { return wire.Heartbeat{} },
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = link.Run(ctx) }()
	s.t.Cleanup(func() { stop(); <-ended })
	s.good = g
	s.await(s.t, "the good agent serves", func() bool { return s.signOn("alice").Outcome == "ok" })
}

// UserTypes implements cloudlink.Handler.
func (g *goodAgent) UserTypes(_ context.Context, m wire.UserTypes) wire.UserTypesAnswer {
	return wire.UserTypesAnswer{Revision: m.Revision}
}

// SignOn implements cloudlink.Handler.
func (g *goodAgent) SignOn(_ context.Context, m wire.SignOn) wire.SignOnResult {
	password, err := g.opener.Open(m.ID, m.Password)
	if err != nil {
		return wire.SignOnResult{ID: m.ID, Outcome: wire.OutcomeBusy, KeyUnknown: true}
	}
	g.mu.Lock()
	onAsk, teams := g.onAsk, g.teams
	g.mu.Unlock()
	if onAsk != nil {
		if r := onAsk(m.ID); r != nil {
			return *r
		}
	}
	if teams != nil && m.Identifier != "alice" {
		return entryOf(m.ID, m.Identifier, teams(m.Identifier)...)
	}
	switch {
	case m.Identifier != "alice" && m.Identifier != "bob":
		return wire.SignOnResult{ID: m.ID, Outcome: wire.OutcomeNoSuchUser}
	case string(password) == "guess":
		return wire.SignOnResult{ID: m.ID, Outcome: wire.OutcomeInvalidCredentials, BindSent: true}
	}
	return entryOf(m.ID, m.Identifier, "cn=staff,dc=x")
}

// ChangePassword implements cloudlink.Handler.
func (g *goodAgent) ChangePassword(_ context.Context, m wire.ChangePassword) wire.PasswordChanged {
	return wire.PasswordChanged{ID: m.ID, Outcome: wire.OutcomeNotAllowed}
}

// entryOf answers a sign-on with success, a record and groups.
func entryOf(id, name string, groups ...string) wire.SignOnResult {
	r := wire.SignOnResult{
		ID:       id,
		Outcome:  wire.OutcomeOK,
		BindSent: true,
		Entry: &wire.Entry{
			DN:          "uid=" + name + ",dc=x",
			Correlation: []wire.Correlation{{Attribute: "entryUUID", Value: "id of " + name}},
			Attributes:  map[string][]string{"uid": {name}},
		},
		Membership: &wire.Membership{Verdict: wire.VerdictComplete},
	}
	for _, g := range groups {
		r.Membership.Groups = append(r.Membership.Groups, wire.Group{DN: g})
	}
	return r
}

// raider is a hostile agent at the other end of an open link.
type raider struct {
	s  *siege
	t  *testing.T
	ws *websocket.Conn
	c  credential

	over chan struct{} // closed when the link has ended
	beat atomic.Pointer[wire.Heartbeat]
}

// beats sends heartbeats until the link ends.
func (r *raider) beats() {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		r.send(wire.KindHeartbeat, 1, *r.beat.Load())
		select {
		case <-tick.C:
		case <-r.over:
			return
		}
	}
}

func (r *raider) isOver() bool {
	select {
	case <-r.over:
		return true
	default:
		return false
	}
}

// raid pairs an instance of the hostile gateway and opens its link; answer says
// what it sends when it is asked for a sign-on.
func (s *siege) raid(t *testing.T, hello wire.Hello, answer func(r *raider, f wire.Frame, m wire.SignOn)) *raider {
	t.Helper()
	c := s.pair(s.hostile, "raider")
	ws, refused := s.knock(s.proof(c, 0))
	if ws == nil {
		t.Fatalf("refused: %s", refused)
	}
	r := &raider{
		s:    s,
		t:    t,
		ws:   ws,
		c:    c,
		over: make(chan struct{}),
	}
	t.Cleanup(func() {
		_ = ws.CloseNow()
		// Nobody is sent there any more.
		s.await(t, "the raider is gone", func() bool { return !s.connected(c.instance) })
	})
	hello.Versions = wire.Versions()
	r.send(wire.KindHello, 0, hello)
	r.beat.Store(&wire.Heartbeat{})
	go r.serve(answer)
	go r.beats()
	s.await(t, "the raider is live", func() bool { return s.connected(c.instance) })
	return r
}

// connected tells whether an instance of the hostile gateway is.
func (s *siege) connected(instance string) bool {
	var i struct{ Connected bool }
	s.must("GET", "/gateways/"+s.hostile.Gateway+"/instances/"+instance, nil, &i)
	return i.Connected
}

// serve reads until the link ends.
func (r *raider) serve(answer func(*raider, wire.Frame, wire.SignOn)) {
	defer close(r.over)
	for {
		_, b, err := r.ws.Read(context.Background())
		if err != nil {
			return
		}
		f, err := wire.DecodeFrame(b)
		if err != nil {
			return
		}
		var m wire.SignOn
		if f.Kind == wire.KindSignOn && f.Decode(&m) == nil && answer != nil {
			answer(r, f, m)
		}
	}
}

// send writes one frame; that the link may be gone is the cloud's good right.
func (r *raider) send(kind wire.Kind, id uint64, body any) {
	f, err := wire.NewFrame(kind, id, 0, body)
	if err != nil {
		r.t.Error(err)
		return
	}
	b, err := f.Encode()
	if err != nil {
		r.t.Error(err)
		return
	}
	r.raw(b)
}

func (r *raider) raw(b []byte) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = r.ws.Write(ctx, websocket.MessageBinary, b)
}

// signIn opens the console as an administrator.
func (s *siege) signIn() {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	must(s.t, err)
	s.browser = &http.Client{Jar: jar}
	s.t.Cleanup(s.browser.CloseIdleConnections)
	const password = "correct horse battery"
	for path, form := range map[string]url.Values{
		"/console/setup": {"name": {"admin"}, "secret": {s.secret}, "password": {password}, "again": {password}},
	} {
		resp, err := s.browser.PostForm(s.url+path, form)
		must(s.t, err)
		_ = resp.Body.Close()
	}
	resp, err := s.browser.PostForm(s.url+"/console/sign-in", url.Values{"name": {"admin"}, "password": {password}})
	must(s.t, err)
	defer resp.Body.Close()
	if !strings.HasSuffix(resp.Request.URL.Path, "/console/") {
		s.t.Fatalf("not signed in: %s", resp.Request.URL)
	}
}

// page returns a page of the console.
func (s *siege) page(path string) string {
	s.t.Helper()
	resp, err := s.browser.Get(s.url + path)
	must(s.t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	must(s.t, err)
	if resp.StatusCode != http.StatusOK {
		s.t.Errorf("%s: %s", path, resp.Status)
	}
	return string(b)
}

// Explain implements cloudlink.Handler.
func (*goodAgent) Look(_ context.Context, m wire.Look) wire.Looked {
	return wire.Looked{ID: m.ID, Outcome: wire.OutcomeNotAllowed}
}

func (*goodAgent) Explain(_ context.Context, m wire.Explain) wire.Explained {
	return wire.Explained{ID: m.ID, Outcome: wire.OutcomeNotAllowed}
}
