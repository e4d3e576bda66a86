package signonpage

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"ldap-gateway/cloud/idp/idptest"
	"ldap-gateway/cloud/store"
)

// turnsAway has the default policy, or one of the application's own, turn away who has no second factor.
func (s *site) turnsAway(own bool) {
	s.t.Helper()
	s.asksFactor(!own)
	p, err := s.db.DefaultSignOnPolicy(s.t.Context(), s.env)
	if own {
		p, err = s.db.SignOnPolicy(s.t.Context(), s.env, s.policyWith("LOGIN", store.ActionMultiFactor))
		s.flow.Policies = []string{p.ID}
	}
	check(s.t, err)
	p.Actions[len(p.Actions)-1].NoDevices = store.NoDevicesBlock
	check(s.t, s.db.SavePolicy(s.t.Context(), &p))
}

// TestWhoHasNoFactorIsTurnedAway where the policy says so, on every way in: they set none up on the way, whatever
// they send, are told whom to ask, and an administrator sees it. Who has one is asked for it as anybody is.
func TestWhoHasNoFactorIsTurnedAway(t *testing.T) {
	for name, way := range waysIn() {
		for _, own := range []bool{false, true} {
			for _, has := range []bool{false, true} {
				if own && !way.flow {
					continue
				}
				t.Run(fmt.Sprintf("%s/own:%t/has:%t", name, own, has), func(t *testing.T) {
					s := start(t)
					s.taken = true
					secret := ""
					if has {
						secret, _ = s.has()
					}
					s.turnsAway(own)
					c := s.visitor()
					a := s.follow(c, way.go_(s, c))
					if has {
						s.gives(c, a, secret)
						return
					}
					if a.status != 403 || !strings.Contains(a.page, "ask your administrator") || !strings.Contains(a.page, "alice") ||
						way.flow != strings.Contains(a.page, "/decline?flow=f1") {
						t.Fatalf("%d %s", a.status, a.page)
					}
					s.setsUpNothing(c, way.flow)
				})
			}
		}
	}
}

// setsUpNothing fails if who was turned away can set a factor up for what they came for, and if that is not told.
func (s *site) setsUpNothing(c *http.Client, flow bool) {
	s.t.Helper()
	more := []string{"code", "000000"}
	path := ""
	if flow {
		more, path = append(more, "flow", "f1"), "?flow=f1"
	}
	for _, a := range []answer{
		s.follow(c, s.get(c, "/factor"+path)), s.get(c, "/factor/new"+path), s.post(c, "/factor/new", more...),
		s.follow(c, s.get(c, path)),
	} {
		if inside(a) || secretShown.MatchString(a.page) {
			s.t.Errorf("%d %q %s", a.status, a.to, a.page)
		}
	}
	all, _, err := s.db.Activities(s.t.Context(), s.env, store.ActivityFilter{Action: "user.factor-missing"}, store.Page{})
	if err != nil || len(all) != 1 || !strings.Contains(all[0].Text, "alice") {
		s.t.Errorf("%+v, %v", all, err)
	}
}

// TestWhoIsTurnedAwayMayComeByTheProviders factor, which is trusted.
func TestWhoIsTurnedAwayMayComeByTheProviders(t *testing.T) {
	for _, says := range []bool{true, false} {
		p := startPartners(t)
		p.turnsAway(false)
		p.change(func(i *store.IdentityProvider) { i.Config.TrustsFactor = true })
		if says {
			p.openID.Set(idptest.Fault{Claims: func(c map[string]any) { c["amr"] = []string{"mfa"} }})
		}
		c := p.visitor()
		if a := p.walk(c, "/"+p.env+"/signon/idp/"+p.p.ID, "eve"); inside(a) != says || !says && a.status != 403 {
			t.Errorf("says %t: %d %s", says, a.status, a.page)
		}
	}
}

var secretShown = regexp.MustCompile(`<code>([A-Z2-7]+)</code>`)
