package signonpage

import (
	"context"
	"fmt"
	"io"
	"ldap-gateway/cloud/evidence"
	"ldap-gateway/cloud/idp"
	"ldap-gateway/cloud/throttle"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// TestAnswersAreBounded in what is held of them, in all and of one network, and what is
// done makes room.
func TestAnswersAreBounded(t *testing.T) {
	u := newTurns(nil)
	one, other := throttle.Network("2001:db8::1"), throttle.Network("2001:db8:0:1::1")
	if one != throttle.Network("2001:db8::ffff:1") || one == other || throttle.Network("192.0.2.1") != throttle.Network("::ffff:192.0.2.1") ||
		throttle.Network("192.0.2.1") == throttle.Network("192.0.2.2") {
		t.Error("networks are told apart wrongly")
	}
	if !u.hold(one, mostHeldOfNetwork) || u.hold(one, 1) || !u.hold(other, 1) {
		t.Error("one network has no end, or keeps another out")
	}
	u.hold(other, -1)
	for i := range mostHeld/mostHeldOfNetwork - 1 {
		u.hold(throttle.Network(fmt.Sprintf("192.0.2.%d", i)), mostHeldOfNetwork)
	}
	if u.hold(throttle.Network("198.51.100.1"), 1) {
		t.Error("there is no end")
	}
	u.hold(one, -mostHeldOfNetwork)
	if !u.hold(throttle.Network("198.51.100.1"), 1) || !u.hold(one, 1) {
		t.Error("nothing makes room")
	}
}

// TestCrowdOfAnswersStopsNoPage: who comes back when too much is held is told to wait,
// and every other page is as ever, also while all turns are taken. All that was held is
// let go.
func TestCrowdOfAnswersStopsNoPage(t *testing.T) {
	p := startPartners(t)
	p.withGateway()
	c := p.visitor()
	acs, junk := "/"+p.env+"/saml20/sp/acs", url.Values{"SAMLResponse": {"AAAA"}}
	p.page.turns.hold(throttle.Network("127.0.0.1"), mostHeldOfNetwork)
	a := p.do(c, "POST", acs, junk)
	if a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" {
		t.Errorf("%d %s", a.status, a.page)
	}
	p.page.turns.hold(throttle.Network("127.0.0.1"), -mostHeldOfNetwork)
	var done []func()
	for range p.page.turns.work.Places {
		leave, err := p.page.turns.work.Enter(t.Context(), throttle.Who{})
		check(t, err)
		done = append(done, leave)
	}
	proven := make(chan answer)
	go func() { proven <- p.do(c, "POST", acs, junk) }()
	if a := p.get(p.visitor(), ""); !strings.Contains(a.page, `type="password"`) {
		t.Error(a.page)
	}
	select {
	case a := <-proven:
		t.Errorf("it took no turn: %d", a.status)
	default:
	}
	for _, leave := range done {
		leave()
	}
	if a := <-proven; a.status != http.StatusForbidden {
		t.Errorf("%d", a.status)
	}
	if p.page.turns.all != 0 || len(p.page.turns.of) != 0 {
		t.Errorf("%d bytes are still held", p.page.turns.all)
	}
}

// TestTooManySignOns: whoever comes when too many sign on, by whatever way, is told when to come
// again, in their language, and has what they typed but the password.
func TestTooManySignOns(t *testing.T) {
	s := start(t)
	s.taken = true
	form := url.Values{"username": {"alice"}, "password": {"old"}, "new": {"n"}, "again": {"n"}, "flow": {"f1"}}
	for name, c := range map[string]struct {
		method, path string
		keeps        string
	}{
		"password": {"POST", "/signon", `value="alice"`},
		"change":   {"POST", "/signon/password", `value="alice"`},
		"ticket":   {"GET", "/signon?flow=f1", `value="f1"`},
		"test":     {"GET", "/signon/ticket", ""},
	} {
		for _, tag := range languages {
			s.broken = fmt.Errorf("wrapped: %w", throttle.ErrFull)
			a := s.do(s.visitor(), c.method, "/"+s.env+c.path, form, "Sec-Fetch-Site", "same-origin",
				"Accept-Language", tag.String(), "Authorization", "Negotiate abc")
			if a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" {
				t.Errorf("%s: %d %v", name, a.status, a.header)
			}
			if !strings.Contains(a.page, say(tag, busy)) || !strings.Contains(a.page, c.keeps) || strings.Contains(a.page, `"old"`) {
				t.Errorf("%s in %s:\n%s", name, tag, a.page)
			}
			if s.broken = nil; a.header.Get("WWW-Authenticate") != "" {
				t.Errorf("%s: the browser is asked again at once", name)
			}
		}
	}
}

// TestSilentConnectionsTakeNoPlace: what announces an answer and sends none of it, or a
// part, is counted, and keeps nobody out.
func TestSilentConnectionsTakeNoPlace(t *testing.T) {
	p := startPartners(t)
	host := strings.TrimPrefix(p.url, "http://")
	announce := "POST /" + p.env + "/saml20/sp/acs HTTP/1.1\r\nHost: " + host +
		"\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 3000000\r\n\r\nSAMLResponse="
	var silent []net.Conn
	for range 100 {
		c, err := net.Dial("tcp", host)
		check(t, err)
		defer c.Close()
		_, err = io.WriteString(c, announce)
		check(t, err)
		silent = append(silent, c)
	}
	acs, junk := "/"+p.env+"/saml20/sp/acs", url.Values{"SAMLResponse": {"AAAA"}}
	if a := p.do(p.visitor(), "POST", acs, junk); a.status != http.StatusForbidden {
		t.Errorf("%d %s", a.status, a.page)
	}
	check(t, silent[0].(*net.TCPConn).CloseWrite())
	answer, err := io.ReadAll(silent[0])
	check(t, err)
	if !strings.HasPrefix(string(answer), "HTTP/1.1 400 ") {
		t.Errorf("%.100s", answer)
	}
	for _, form := range []string{"a=%zz", ";"} {
		r, err := http.Post(p.url+acs, "application/x-www-form-urlencoded", strings.NewReader(form))
		check(t, err)
		_ = r.Body.Close()
		if r.StatusCode != http.StatusBadRequest {
			t.Errorf("%q: %d", form, r.StatusCode)
		}
	}
}

// posting is the desk of a provider that takes requests by POST, and refuses.
type posting struct{ Providers }

func (posting) Begin(context.Context, string, string, idp.Wish) (idp.Going, error) {
	return idp.Going{
		Address: "https://idp.example.org/sso",
		Form:    "request",
		Cookie:  idp.Cookie{Suffix: "aaaaaaaaaaaa", Value: "v", Life: time.Minute},
	}, nil
}

func (posting) Accept(context.Context, string, url.Values) (string, error) { return "refused.x", nil }

func (posting) Arrive(context.Context, string, string, func() []string, string) (idp.Arrived, error) {
	return idp.Arrived{}, &idp.Refused{
		Refusal: evidence.Refuse(evidence.NeedsPerson, ""),
		Flow:    "f1",
		Silent:  true,
	}
}

// TestSilentSignOnShowsNoPage: where a form would have to be shown, and where the
// provider says that it needs the person, the application is told.
func TestSilentSignOnShowsNoPage(t *testing.T) {
	p := startPartners(t)
	p.page.Providers = posting{}
	c := p.visitor()
	to := "/" + p.env + "/signon/idp/" + p.p.ID + "?flow=f1"
	a := p.do(c, "GET", to, nil)
	policy := a.header.Get("Content-Security-Policy")
	if a.status != http.StatusOK || !strings.Contains(policy, "form-action https: https://idp.example.org;") {
		t.Errorf("%d %s", a.status, policy)
	}
	p.flow.Silent = true
	if a := p.do(c, "GET", to, nil); !strings.HasPrefix(a.to, "/refused/") {
		t.Errorf("%d %s", a.status, a.to)
	}
	a = p.do(c, "POST", "/"+p.env+"/saml20/sp/acs", url.Values{"SAMLResponse": {"AAAA"}})
	if a.status != http.StatusSeeOther || !strings.Contains(a.to, "k=refused.x") {
		t.Fatalf("%d %s", a.status, a.to)
	}
	if a := p.do(c, "GET", a.to, nil); !strings.HasPrefix(a.to, "/refused/") {
		t.Errorf("%d %s", a.status, a.to)
	}
}
