package signonpage

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"ldap-gateway/cloud/administrators"
	"ldap-gateway/cloud/applications"
	"ldap-gateway/cloud/factors"
	"ldap-gateway/cloud/kerberos"
	"ldap-gateway/cloud/oidc"
	"ldap-gateway/cloud/signon"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/store/storetest"
	"ldap-gateway/cloud/vault"
	"ldap-gateway/cloudlink/wire"
)

// site is a sign-on page of one environment, whose rooms answer as a test says.
type site struct {
	t     *testing.T
	db    *store.Store
	url   string
	env   string
	alice store.User
	clock time.Duration // ahead of the true time
	now   func() time.Time

	proofs *administrators.Authenticator // those of its factors

	outcome  string // of a sign-on by password
	broken   error
	proven   func(*store.User) // changes who signs on, between proof and page; nil: nobody does
	changed  wire.PasswordChanged
	offers   bool     // a change of the password
	asked    []string // passwords, old and new
	policy   string   // by which the last was asked
	known    string   // what the browser of the last kept
	changeOf string   // the sign-on that the last change was offered by
	asks     bool     // for tickets, from everywhere
	taken    bool     // tickets are
	refusal  *kerberos.Refusal
	flow     applications.Flow
	ended    []string // sign-ons of which applications were told that the session has ended
}

func (s *site) SignOn(ctx context.Context, r signon.Request) (store.SignOn, error) {
	s.asked, s.policy, s.known = append(s.asked, string(r.Password)), r.Policy, r.Browser
	so := store.SignOn{
		EnvironmentID: s.env,
		At:            s.now(),
		Method:        "password",
		Username:      r.Username,
		Outcome:       s.outcome,
		Message:       "The sentence for " + s.outcome + ".",
	}
	if s.outcome == "ok" {
		so.UserID = s.alice.ID
	}
	err := errors.Join(s.broken, s.db.RecordSignOn(ctx, &so))
	if s.proven != nil {
		u := s.alice
		s.proven(&u)
		err = errors.Join(err, s.db.UpdateUser(ctx, &u))
	}
	return so, err
}

func (s *site) OffersChange(_ context.Context, so store.SignOn) bool {
	return s.offers && so.Outcome == "passwordMustChange"
}

func (s *site) ChangePassword(_ context.Context, r signon.ChangeRequest) (signon.Change, error) {
	s.asked = append(s.asked, string(r.Old)+">"+string(r.New))
	s.changeOf, s.policy, s.known = r.SignOnID, r.Policy, r.Browser
	return signon.Change{
		Outcome: s.changed.Outcome,
		Refusal: s.changed.Refusal,
		Message: signon.ChangeMessage(s.changed.Outcome, s.changed.Refusal),
	}, s.broken
}

func (s *site) KnownBrowser(r signon.Request) string {
	return "known-" + r.Username + "-after" + r.Browser
}

// tickets is the site's Kerberos.
type tickets struct{ *site }

func (k tickets) SignOn(ctx context.Context, r kerberos.Request) (kerberos.Answer, error) {
	so := store.SignOn{
		EnvironmentID: k.env,
		At:            k.now(),
		Method:        "kerberos",
		UserID:        k.alice.ID,
		Outcome:       "ok",
		UpdateReason:  "a Kerberos sign-on does not update the record",
	}
	if k.broken != nil {
		return kerberos.Answer{}, k.broken
	}
	if k.refusal != nil {
		return kerberos.Answer{Refusal: k.refusal}, nil
	}
	return kerberos.Answer{SignOn: so, Header: "Negotiate proof"}, k.db.RecordSignOn(ctx, &so)
}

func (k tickets) Explain(context.Context, kerberos.Request) (kerberos.Proof, error) {
	if k.broken != nil {
		return kerberos.Proof{}, k.broken
	}
	if k.refusal != nil {
		return kerberos.Proof{}, k.refusal
	}
	return kerberos.Proof{
		User:   k.alice,
		Ticket: kerberos.Ticket{Principal: "alice", Realm: "EXAMPLE.TEST", EType: 18},
	}, nil
}
func (k tickets) Asks(context.Context, string, netip.Addr) (bool, error) { return k.asks, nil }
func (k tickets) Taken(context.Context, string) (bool, error)            { return k.taken, nil }

// flows is the site's applications: one, which wants what the site says.
type flows struct{ *site }

func (f flows) Flow(_ context.Context, _, id string) (applications.Flow, error) {
	if id != f.flow.ID {
		return applications.Flow{}, store.ErrNotFound
	}
	return f.flow, nil
}

func (f flows) Complete(_, id string, by store.SignedOn) (string, error) {
	return "/completed/" + id + "/" + string(by.Method), nil
}

func (f flows) Refuse(w http.ResponseWriter, r *http.Request, _, id string, why applications.Refusal) error {
	to := "/refused/"
	if why == applications.Declined {
		to = "/declined/"
	}
	http.Redirect(w, r, to+id, http.StatusFound)
	return nil
}

func (f flows) SignedOff(_ *http.Request, _ string, _ store.SignedOn, then string) (string, error) {
	return then, nil
}

func (f flows) Ended(_ context.Context, _ string, by store.SignedOn) error {
	f.ended = append(f.ended, by.SignOnID)
	return nil
}

func (f flows) Leaving(context.Context, string, url.Values) (oidc.Leaving, error) {
	return oidc.Leaving{}, nil
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// factors are those of the site, by the clock of a minute that was: a code of now is good.
func (s *site) factors() *factors.Service {
	s.t.Helper()
	v, err := vault.New(make([]byte, 32))
	check(s.t, err)
	proofs := &administrators.Authenticator{Store: s.db, Vault: v, URLs: []string{"http://localhost"}, Now: s.now}
	return &factors.Service{Store: s.db, Proofs: proofs, Now: s.now}
}

func start(t *testing.T) *site {
	t.Helper()
	db, err := store.Open(t.Context(), storetest.File(t))
	check(t, err)
	t.Cleanup(func() { check(t, db.Close()) })
	env := store.Environment{Name: "Acme <b>"}
	check(t, db.CreateEnvironment(t.Context(), &env))
	people := store.Population{EnvironmentID: env.ID, Name: "Default", Default: true}
	check(t, db.CreatePopulation(t.Context(), &people))
	s := &site{
		t:       t,
		db:      db,
		env:     env.ID,
		outcome: "ok",
		flow:    applications.Flow{ID: "f1", Application: "Wiki", MaxAge: -1},
	}
	s.now = func() time.Time { return time.Now().Add(s.clock) }
	s.alice = store.User{
		EnvironmentID: env.ID,
		PopulationID:  people.ID,
		Username:      "alice",
		GivenName:     "Alice <i>",
		Enabled:       true,
	}
	check(t, db.CreateUser(t.Context(), &s.alice))
	sessions := NewSessions(db, false)
	sessions.clock = s.now
	page := &Server{
		Store:     db,
		Passwords: s,
		Tickets:   tickets{s},
		Flows:     flows{s},
		Factors:   s.factors(),
		Sessions:  sessions,
		Logger:    hclog.NewNullLogger(),
		Now:       s.now,
	}
	srv := httptest.NewServer(sessions.Wrap(page.Handler()))
	t.Cleanup(srv.Close)
	s.url, s.proofs = srv.URL, page.Factors.Proofs
	s.proofs.URLs = []string{srv.URL}
	return s
}

type answer struct {
	status int
	header http.Header
	to     string
	page   string
}

// visitor is a browser that stays where it is.
func (s *site) visitor() *http.Client {
	jar, err := cookiejar.New(nil)
	check(s.t, err)
	return &http.Client{
		Jar:           jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (s *site) do(c *http.Client, method, path string, form url.Values, headers ...string) answer {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(form.Encode()))
	check(s.t, err)
	if method == "POST" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	resp, err := c.Do(r)
	check(s.t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	check(s.t, err)
	return answer{resp.StatusCode, resp.Header, resp.Header.Get("Location"), string(b)}
}

func (s *site) get(c *http.Client, more string, headers ...string) answer {
	s.t.Helper()
	return s.do(c, "GET", "/"+s.env+"/signon"+more, nil, headers...)
}

func (s *site) post(c *http.Client, more string, fields ...string) answer {
	s.t.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return s.do(c, "POST", "/"+s.env+"/signon"+more, form, "Sec-Fetch-Site", "same-origin")
}

func TestSigningOnByPassword(t *testing.T) {
	s := start(t)
	c := s.visitor()
	form := s.get(c, "?flow=f1")
	for _, want := range []string{
		"Acme &lt;b&gt;",
		"Wiki",
		`name="flow" value="f1"`,
		`autocomplete="current-password"`,
	} {
		if !strings.Contains(form.page, want) {
			t.Errorf("%q is not on the form:\n%s", want, form.page)
		}
	}
	if csp := form.header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") ||
		!strings.Contains(csp, "form-action 'self'") || form.header.Get("Cache-Control") != "no-store" {
		t.Errorf("%v", form.header)
	}
	s.outcome = "invalidCredentials"
	wrong := s.post(c, "", "flow", "f1", "username", `alice"><script>`, "password", "looking-glass")
	if !strings.Contains(wrong.page, "The sentence for invalidCredentials.") ||
		strings.Contains(wrong.page, "looking-glass") || strings.Contains(wrong.page, `"><script>`) ||
		!strings.Contains(wrong.page, `value="f1"`) {
		t.Error(wrong.page)
	}
	s.outcome = "ok"
	before := c.Jar.Cookies(&url.URL{Scheme: "http", Host: strings.TrimPrefix(s.url, "http://"), Path: "/"})
	next := s.post(c, "", "flow", "f1", "username", " alice ", "password", " wonderland ")
	if next.status != 200 || !strings.Contains(next.page, `content="0; url=/completed/f1/password"`) ||
		s.asked[len(s.asked)-1] != " wonderland " {
		t.Errorf("%d %s %q", next.status, next.page, s.asked)
	}
	if after := c.Jar.Cookies(&url.URL{
		Scheme: "http",
		Host:   strings.TrimPrefix(s.url, "http://"),
		Path:   "/",
	}); len(after) != 1 || len(before) == 1 && before[0].Value == after[0].Value {
		t.Errorf("the session's token is %v, and was %v", after, before)
	}
	if again := s.get(c, "?flow=f1"); again.to != "/completed/f1/password" {
		t.Errorf("%d %s", again.status, again.to)
	}
	if account := s.get(c, ""); !strings.Contains(account.page, "Alice &lt;i&gt;") ||
		!strings.Contains(account.page, "Sign off") {
		t.Error(account.page)
	}
	if off := s.post(c, "/off"); !strings.Contains(off.page, "signed off") {
		t.Error(off.page)
	}
	if again := s.get(c, "?flow=f1"); !strings.Contains(again.page, `type="password"`) {
		t.Error("the session outlives signing off")
	}
}

func TestSessionsEnd(t *testing.T) {
	s := start(t)
	c := s.visitor()
	s.post(c, "", "username", "alice", "password", "x")
	s.flow.MaxAge = time.Minute
	if a := s.get(c, "?flow=f1"); a.to == "" {
		t.Error("a fresh sign-on is not fresh enough")
	}
	s.clock = 2 * time.Minute
	if a := s.get(c, "?flow=f1"); a.to != "" || !strings.Contains(a.page, `type="password"`) {
		t.Error("an old sign-on is fresh enough")
	}
	s.alice.Enabled = false
	check(t, s.db.UpdateUser(t.Context(), &s.alice))
	if a := s.get(c, ""); strings.Contains(a.page, "You are signed on") {
		t.Error("somebody who was disabled is signed on")
	}
}

func TestTickets(t *testing.T) {
	s := start(t)
	c := s.visitor()
	negotiate := []string{"Authorization", "Negotiate abc"}
	s.taken = true
	if a := s.get(c, "?flow=f1"); a.status != 200 || !strings.Contains(a.page, "Use my computer") ||
		a.header.Get("WWW-Authenticate") != "" {
		t.Errorf("nobody asked for a ticket: %d %v", a.status, a.header)
	}
	for name, ask := range map[string]func(){
		"network":     func() { s.asks = true },
		"application": func() { s.asks, s.flow.AskForTicket = false, true },
	} {
		ask()
		if a := s.get(c, "?flow=f1"); a.status != 401 || a.header.Get("WWW-Authenticate") != "Negotiate" ||
			!strings.Contains(a.page, `type="password"`) {
			t.Errorf("%s: %d %v", name, a.status, a.header)
		}
	}
	s.flow.AskForTicket = false
	if a := s.get(c, "?flow=f1&ticket=1"); a.status != 401 {
		t.Errorf("the link: %d", a.status)
	}
	s.refusal = &kerberos.Refusal{Reason: kerberos.ReasonUnknown}
	if a := s.get(c, "?flow=f1&ticket=1", negotiate...); a.status != 200 || a.header.Get("WWW-Authenticate") != "" ||
		!strings.Contains(a.page, "not known here yet") || !strings.Contains(a.page, `type="password"`) {
		t.Errorf("refused: %d %v %s", a.status, a.header, a.page)
	}
	if a := s.get(c, "/ticket", negotiate...); a.status != 200 ||
		!strings.Contains(a.page, kerberos.ReasonUnknown.Remedy()) {
		t.Errorf("%d %s", a.status, a.page)
	}
	s.refusal = nil
	if a := s.get(c, "/ticket", negotiate...); !strings.Contains(a.page, "would sign on alice") ||
		!strings.Contains(a.page, "aes256") {
		t.Error(a.page)
	}
	if a := s.get(c, "?flow=f1", negotiate...); a.to != "/completed/f1/kerberos" ||
		a.header.Get("WWW-Authenticate") != "Negotiate proof" {
		t.Errorf("%d %s %v", a.status, a.to, a.header)
	}
	if a := s.get(c, ""); !strings.Contains(a.page, "by ticket") || !strings.Contains(a.page, "not refreshed") {
		t.Error(a.page)
	}
	s.taken = false
	if a := s.get(s.visitor(), "/ticket"); a.status != 200 || !strings.Contains(a.page, "No gateway takes") {
		t.Errorf("%d %s", a.status, a.page)
	}
}

func TestSilentFlows(t *testing.T) {
	s := start(t)
	s.flow.Silent, s.taken, s.asks = true, true, true
	if a := s.get(s.visitor(), "?flow=f1"); a.to != "/refused/f1" {
		t.Errorf("%d %s", a.status, a.to)
	}
	s.refusal = &kerberos.Refusal{Reason: kerberos.ReasonReplay}
	if a := s.get(s.visitor(), "?flow=f1", "Authorization", "Negotiate abc"); a.to != "/refused/f1" {
		t.Errorf("%d %s", a.status, a.to)
	}
}

func TestChangingThePassword(t *testing.T) {
	s := start(t)
	c := s.visitor()
	s.outcome = "passwordMustChange"
	if a := s.post(
		c, "",
		"flow", "f1",
		"username", "alice",
		"password", "old",
	); !strings.Contains(a.page, "The sentence for passwordMustChange.") || strings.Contains(a.page, "New password") {
		t.Errorf("not offered: %s", a.page)
	}
	s.offers, s.asked = true, nil
	form := s.post(c, "", "flow", "f1", "username", "alice", "password", "old")
	if !strings.Contains(form.page, "You have to choose a new password before you can sign on.") ||
		!strings.Contains(form.page, `value="alice"`) || !strings.Contains(form.page, `name="signon" value="`) || strings.Contains(form.page, `value="old"`) {
		t.Fatal(form.page)
	}
	change := func(again string) answer {
		return s.post(
			c, "/password",
			"flow", "f1",
			"username", "alice",
			"password", "old",
			"new", "fresh",
			"again", again,
			"signon", "s1",
		)
	}
	if a := change("frehs"); !strings.Contains(a.page, "differ") || len(s.asked) != 1 {
		t.Errorf("%s %q", a.page, s.asked)
	}
	s.changed = wire.PasswordChanged{Outcome: wire.OutcomeNewPasswordRefused, Refusal: wire.RefusalTooShort}
	if a := change("fresh"); !strings.Contains(
		a.page,
		signon.ChangeMessage(wire.OutcomeNewPasswordRefused, wire.RefusalTooShort),
	) || strings.Contains(a.page, "fresh") {
		t.Error(a.page)
	}
	if a := change("frehs"); s.changeOf != "s1" || !strings.Contains(a.page, `name="signon" value="s1"`) {
		t.Errorf("whose sign-on offered it is forgotten: %q", s.changeOf)
	}
	s.changed, s.outcome = wire.PasswordChanged{Outcome: wire.OutcomeOK}, "ok"
	if a := change("fresh"); !strings.Contains(a.page, "/completed/f1/password") ||
		s.asked[len(s.asked)-2] != "old>fresh" || s.asked[len(s.asked)-1] != "fresh" {
		t.Errorf("%s %q", a.page, s.asked)
	}
	s.outcome = "unknown"
	if a := change("fresh"); !strings.Contains(a.page, "Your password was changed") {
		t.Error(a.page)
	}
}

func TestWhatDoesNotWork(t *testing.T) {
	s := start(t)
	c := s.visitor()
	if a := s.get(c, "?flow=none"); a.status != 404 || !strings.Contains(a.page, "begin again") {
		t.Errorf("%d %s", a.status, a.page)
	}
	if a := s.do(c, "GET", "/11111111-2222-3333-4444-555555555555/signon", nil); a.status != 404 {
		t.Errorf("%d", a.status)
	}
	if a := s.do(c, "POST", "/"+s.env+"/signon", url.Values{
		"username": {"alice"},
		"password": {"x"},
	}, "Sec-Fetch-Site", "cross-site"); a.status != 403 || len(s.asked) != 0 {
		t.Errorf("%d %q", a.status, s.asked)
	}
	if a := s.post(c, "", "username", strings.Repeat("x", maxForm), "password", "x"); a.status != 413 ||
		len(s.asked) != 0 {
		t.Errorf("%d", a.status)
	}
	s.outcome = "busy"
	if a := s.post(c, "", "username", "alice", "password", "x"); a.status != 429 || a.header.Get("Retry-After") == "" {
		t.Errorf("%d", a.status)
	}
	s.broken = errors.New("the database is away")
	if a := s.post(c, "", "username", "alice", "password", "x"); a.status != 500 ||
		strings.Contains(a.page, "database") {
		t.Errorf("%d %s", a.status, a.page)
	}
	for _, path := range []string{"/signon/static/signon.css", "/signon/static/icon.svg"} {
		if a := s.do(c, "GET", path, nil); a.status != 200 ||
			!strings.Contains(a.header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d %v", path, a.status, a.header)
		}
	}
	for _, path := range []string{"/signon/static/", "/signon/static/x.css", "/signon/static/..%2fpages.go"} {
		if a := s.do(c, "GET", path, nil); a.status < 400 {
			t.Errorf("%s: %d", path, a.status)
		}
	}
}

// TestWhatMayWorkLater: after each outcome of which the person is told to try again in a moment the
// page has a status and a Retry-After that say so as well, and after no other, at a sign-on and at a
// change of the password; the form is there again, all the same.
func TestWhatMayWorkLater(t *testing.T) {
	s := start(t)
	c := s.visitor()
	n := 0
	for o := wire.OutcomeOK + 1; o.Known(); o++ {
		later := signon.Message(o) == signon.Message(wire.OutcomeDirectoryUnavailable)
		s.outcome, s.changed = o.String(), wire.PasswordChanged{Outcome: o}
		for more, fields := range map[string][]string{
			"": nil, "/password": {"new", "y", "again", "y"},
		} {
			a := s.post(c, more, append(fields, "username", "alice", "password", "x")...)
			if told := a.status >= 400 && a.header.Get("Retry-After") != ""; told != later || later == (a.status == 200) ||
				!strings.Contains(a.page, `value="alice"`) {
				t.Errorf("%s%s: %d, Retry-After %q", o, more, a.status, a.header.Get("Retry-After"))
			}
		}
		n++
	}
	if n < 10 {
		t.Errorf("%d outcomes", n)
	}
}

// TestKnownBrowsers: a browser keeps what it is known by once somebody has signed on, and no sooner,
// and it is told with each try and change of a password.
func TestKnownBrowsers(t *testing.T) {
	s := start(t)
	c := s.visitor()
	try := func(outcome, want string) {
		t.Helper()
		s.outcome, s.known = outcome, "?"
		if s.post(c, "", "username", "alice", "password", "x"); s.known != want {
			t.Errorf("%s: the browser is known by %q, want %q", outcome, s.known, want)
		}
	}
	try("invalidCredentials", "")
	try("ok", "")
	try("busy", "known-alice-after")
	try("ok", "known-alice-after")
	s.post(c, "/password", "username", "alice", "password", "x", "new", "y", "again", "y")
	if s.known != "known-alice-afterknown-alice-after" {
		t.Errorf("a change: %q", s.known)
	}
}
