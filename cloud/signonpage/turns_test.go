package signonpage

import (
	"context"
	"fmt"
	"ldap-gateway/cloud/idp"
	"ldap-gateway/cloud/idp/evidence"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// TestAnswersAreBounded in all and of one address, and whoever leaves makes room.
func TestAnswersAreBounded(t *testing.T) {
	u := newTurns()
	var leave []func()
	for i := range mostAnswers {
		out, ok := u.enter(fmt.Sprint("192.0.2.", i/mostAnswersOfAddress))
		if !ok {
			t.Fatalf("%d is too many", i)
		}
		leave = append(leave, out)
	}
	if _, ok := u.enter("192.0.2.200"); ok {
		t.Error("there is no end")
	}
	for _, out := range leave[1:] {
		out()
	}
	for range mostAnswersOfAddress - 1 {
		if _, ok := u.enter("192.0.2.0"); !ok {
			t.Fatal("nobody has left")
		}
	}
	if _, ok := u.enter("192.0.2.0"); ok {
		t.Error("one address has no end")
	}
	if _, ok := u.enter("192.0.2.1"); !ok {
		t.Error("one address keeps another out")
	}
	if leave[0](); len(u.of) != 2 || u.all != mostAnswersOfAddress {
		t.Errorf("%v", u.of)
	}
}

// TestCrowdOfAnswersStopsNoPage: who comes back when too many do is told to wait, and
// every other page is as ever, also while all turns are taken.
func TestCrowdOfAnswersStopsNoPage(t *testing.T) {
	p := startPartners(t)
	p.withGateway()
	c := p.visitor()
	acs, junk := "/"+p.env+"/saml20/sp/acs", url.Values{"SAMLResponse": {"AAAA"}}
	var leave []func()
	for range mostAnswersOfAddress {
		out, ok := p.page.turns.enter("127.0.0.1")
		if !ok {
			t.Fatal("too many")
		}
		leave = append(leave, out)
	}
	a := p.do(c, "POST", acs, junk)
	if a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" {
		t.Errorf("%d %s", a.status, a.page)
	}
	for _, out := range leave {
		out()
	}
	for range cap(p.page.turns.work) {
		p.page.turns.work <- struct{}{}
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
	<-p.page.turns.work
	if a := <-proven; a.status != http.StatusForbidden {
		t.Errorf("%d", a.status)
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
