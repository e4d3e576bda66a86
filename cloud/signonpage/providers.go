package signonpage

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"ldap-gateway/cloud/applications"
	"ldap-gateway/cloud/idp"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/throttle"
	"ldap-gateway/cloud/web"
)

// Providers takes sign-ons through identity providers.
type Providers interface {
	// Begin starts a sign-on; idp.ErrOff when the provider is disabled or is none of
	// the environment's.
	Begin(ctx context.Context, env, provider string, w idp.Wish) (idp.Going, error)
	// Callback takes an answer of OpenID Connect from the browser that began.
	Callback(ctx context.Context, env string, answer idp.Answer) (idp.Arrived, error)
	// Accept takes an answer of SAML, and returns what the browser comes back with.
	Accept(ctx context.Context, env string, form url.Values) (key string, err error)
	// Arrive takes what Accept proved, for the browser that began.
	Arrive(ctx context.Context, env, key string, cookies func() []string, address string) (idp.Arrived, error)
	// SignOffURL is where a person ends the session at a provider, too; empty when it has
	// no such place.
	SignOffURL(p store.IdentityProvider) string
	// Metadata describes us to a SAML provider. idp.ErrOff when there is none of that
	// ID.
	Metadata(ctx context.Context, env, provider string) ([]byte, error)
}

var _ Providers = (*idp.Desk)(nil)

// mostJourneys is how many journeys to providers a browser keeps.
const mostJourneys = 5

// The most that one network does in a minute, journeys to providers and answers of them: whole offices have one. What
// an answer costs is bounded besides: see turns.
const (
	MostJourneys = 12_000
	MostAnswers  = 6000
)

// maxAnswer bounds the form of a SAML answer, in bytes: its base64 and what is around.
const maxAnswer = 3 << 20

// choice is one provider on the form.
type choice struct{ Name, Address string }

// choices are the links to providers.
// The hint is in none of them: who clicks has named nobody.
func (k *call) choices(flow applications.Flow, all []store.IdentityProvider) (choices []choice) {
	for _, p := range all {
		choices = append(choices, choice{p.Name, k.toward(flow, p, "")})
	}
	return choices
}

// toward is the address that a browser begins with at a provider.
// Whatever is empty is left out of it.
func (k *call) toward(flow applications.Flow, p store.IdentityProvider, hint string) string {
	q := url.Values{}
	for name, value := range map[string]string{"flow": flow.ID, "then": k.then(), "hint": hint} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if k.anew() {
		q.Set("anew", "1")
	}
	return (&url.URL{Path: "/" + k.env.ID + "/signon/idp/" + p.ID, RawQuery: q.Encode()}).String()
}

// straight returns where a browser goes at once that has nothing to choose; false when
// it has: to the provider of whom the application names, or to the only one.
func (k *call) straight(flow applications.Flow, by *plan) (address string, ok bool) {
	// Somebody came back from there, or signed off, and is not to be sent there again.
	if k.Form.Has("choose") || k.Sessions.SignedOff(k.Context(), k.env.ID) {
		return "", false
	}
	p, ok := by.home(flow.LoginHint)
	if !ok {
		p, ok = by.only()
	}
	return k.toward(flow, p, flow.LoginHint), ok
}

// next takes a name, and leads to the provider whose people have such names, or to the
// password. The page is the same for every name of a domain.
func (k *call) next() error {
	flow, err := k.flow()
	if err != nil {
		return err
	}
	by, err := k.plan(flow)
	if err != nil {
		return err
	}
	name := strings.TrimSpace(k.PostForm.Get("username"))
	if p, ok := by.home(name); ok {
		return k.render(http.StatusOK, "next.html", "One moment", map[string]string{
			"Next":        k.toward(flow, p, name),
			"Application": p.Name,
		})
	}
	if !by.hasPasswords() {
		return k.showForm(http.StatusOK, flow, "Choose how to sign on.", name)
	}
	return k.showPassword(http.StatusOK, flow, "", name)
}

// leave sends a browser to a provider.
// It is a GET that begins something, and nothing is kept of it but a cookie.
func (k *call) leave() error {
	if k.limited("begin", MostJourneys) {
		return nil
	}
	flow, err := k.flow()
	if err != nil {
		return err
	}
	by, err := k.plan(flow)
	if err != nil {
		return err
	}
	if !by.Leads(k.PathValue("p")) {
		return store.ErrNotFound
	}
	return k.depart(k.PathValue("p"), idp.Wish{
		Flow:   flow.ID,
		Then:   k.then(),
		Hint:   k.Form.Get("hint"),
		Anew:   flow.Anew || k.anew(),
		Silent: flow.Silent,
		MaxAge: flow.MaxAge,
		ACR:    slices.DeleteFunc(flow.ACR, func(c string) bool { return by.Own && c == by.Policy.Name }),
	})
}

// depart begins a journey.
// One that was disabled meanwhile is 404, as one that never was.
func (k *call) depart(provider string, w idp.Wish) error {
	g, err := k.Providers.Begin(k.Context(), k.env.ID, provider, w)
	if errors.Is(err, idp.ErrOff) {
		return store.ErrNotFound
	}
	if err != nil {
		return err
	}
	if w.Silent && g.Form != "" { // a form is a page
		return k.Flows.Refuse(k.w, k.Request, k.env.ID, w.Flow, applications.Nobody)
	}
	k.keepJourney(g.Cookie)
	if g.Form == "" {
		http.Redirect(k.w, k.Request, g.Address, http.StatusSeeOther)
		return nil
	}
	to, err := url.Parse(g.Address)
	if err != nil {
		return err
	}
	k.w.Header().Set("Content-Security-Policy", web.PostingTo(to.Scheme+"://"+to.Host))
	return k.render(http.StatusOK, "post.html", "Go on to sign on", g)
}

// keepJourney sets a journey's cookie, and forgets the oldest of too many.
// Without a bound a browser's cookies would grow beyond what a server reads.
func (k *call) keepJourney(c idp.Cookie) {
	mine := k.journeySuffixes()
	for _, suffix := range mine[:max(0, len(mine)-mostJourneys+1)] {
		k.forgetJourney(suffix)
	}
	http.SetCookie(k.w, c.HTTP(k.env.ID, k.Sessions.secure))
}

// forgetJourney sets the cookie of a journey without a value, which browsers take for
// its end.
func (k *call) forgetJourney(suffix string) {
	http.SetCookie(k.w, idp.Cookie{Suffix: suffix}.HTTP(k.env.ID, k.Sessions.secure))
}

// journeySuffixes tells the browser's journeys from one another, as it sends them.
func (k *call) journeySuffixes() (all []string) {
	for _, c := range k.Cookies() {
		if suffix, is := strings.CutPrefix(c.Name, idp.CookieName(k.Sessions.secure)); is {
			all = append(all, suffix)
		}
	}
	return all
}

// journey returns the value of one; empty when there is none.
// Its value is sealed, and nothing is believed of it here.
func (k *call) journey(suffix string) string {
	c, err := k.Cookie(idp.CookieName(k.Sessions.secure) + suffix)
	if err != nil {
		return ""
	}
	return c.Value
}

// allJourneys returns the values of all, of no more than a browser keeps.
// A browser that sends more has been handed them by somebody: each costs an attempt to
// open it.
func (k *call) allJourneys() (values []string) {
	for _, suffix := range k.journeySuffixes() {
		if len(values) < 2*mostJourneys {
			values = append(values, k.journey(suffix))
		}
	}
	return values
}

// callback takes an answer of OpenID Connect.
// It is a GET from another site, with the cookie: SameSite=Lax sends that along with a
// link.
func (k *call) callback() error {
	if k.limited("answer", MostAnswers) {
		return nil
	}
	return k.arrived(k.Providers.Callback(k.Context(), k.env.ID, idp.Answer{
		At:      k.PathValue("p"),
		Query:   k.URL.Query(),
		Cookies: k.journey,
		Address: k.address(),
	}))
}

// accept takes an answer of SAML, which was counted, without a cookie. The browser comes back with one.
func (k *call) accept() error {
	done, err := k.turns.work.Enter(k.Context(), throttle.Who{Owner: k.env.ID, Network: throttle.Network(k.address())})
	if err != nil {
		return err
	}
	defer done()
	key, err := k.Providers.Accept(k.Context(), k.env.ID, k.PostForm)
	if err != nil {
		return k.notArrived(err)
	}
	to := url.URL{Path: "/" + k.env.ID + "/signon/idp/arrive", RawQuery: url.Values{"k": {key}}.Encode()}
	http.Redirect(k.w, k.Request, to.String(), http.StatusSeeOther)
	return nil
}

// arriveBy lets the browser in that began.
// A key is good once.
func (k *call) arriveBy() error {
	if k.limited("answer", MostAnswers) {
		return nil
	}
	return k.arrived(k.Providers.Arrive(k.Context(), k.env.ID, k.Form.Get("k"), k.allJourneys, k.address()))
}

// arrived keeps who came back, and goes on to what they came for.
func (k *call) arrived(a idp.Arrived, err error) error {
	if err != nil {
		return k.notArrived(err)
	}
	// Its use is over, whatever the journey was for.
	k.forgetJourney(a.Cookie)
	if a.Trial != nil {
		return k.render(http.StatusOK, "tried.html", "What this sign-on would do", a.Trial)
	}
	// Seconds are what applications are told (auth_time), and what is compared with
	// their max_age.
	by := store.SignedOn{
		UserID:     a.SignOn.UserID,
		SignOnID:   a.SignOn.ID,
		Method:     a.SignOn.Method,
		Methods:    strings.Join(a.Methods, " "),
		ProviderID: a.SignOn.ProviderID,
		Factor:     a.Factor,
		At:         a.At.UTC().Truncate(time.Second),
	}
	k.Form.Set("then", a.Then)
	k.Form.Set("flow", a.Flow)
	flow, err := k.flow()
	if err != nil {
		return err
	}
	if on, err := k.begin(flow, by, a.Until); err != nil || !on {
		return err
	}
	if flow.ID == "" {
		http.Redirect(k.w, k.Request, k.here(flow, nil), http.StatusSeeOther)
		return nil
	}
	way, err := k.plan(flow)
	if err != nil {
		return err
	}
	if !way.Admits(by) { // its policy was changed meanwhile
		http.Redirect(k.w, k.Request, k.here(flow, url.Values{"choose": {"1"}}), http.StatusSeeOther)
		return nil
	}
	return k.arrive(flow, by)
}

// stranded is why somebody is not signed on.
type stranded struct {
	Text string
	ID   string // that the administrator finds it by
	Back string // where there is another way
}

// notArrived shows why nobody is signed on, with a way on. An application that wants no
// page gets its answer.
// An error of our own is returned.
func (k *call) notArrived(err error) error {
	var r *idp.Refused
	if !errors.As(err, &r) {
		return err
	}
	if r.Cookie != "" {
		k.forgetJourney(r.Cookie)
	}
	if r.Silent && r.Flow != "" {
		return k.Flows.Refuse(k.w, k.Request, k.env.ID, r.Flow, applications.Nobody)
	}
	k.Form.Set("then", r.Then)
	back := k.here(applications.Flow{ID: r.Flow}, url.Values{"choose": {"1"}})
	return k.render(http.StatusForbidden, "stranded.html", "Not signed on", stranded{r.Sentence(), r.ID, back})
}

// metadata describes us to the administrator of a SAML provider.
// Its address is told to administrators, and it has nothing secret in it.
func (k *call) metadata() error {
	doc, err := k.Providers.Metadata(k.Context(), k.env.ID, k.PathValue("p"))
	if errors.Is(err, idp.ErrOff) {
		return store.ErrNotFound
	}
	if err != nil {
		return err
	}
	k.w.Header().Set("Content-Type", "application/samlmetadata+xml")
	_, _ = k.w.Write(doc) // the browser is gone: nobody to tell
	return nil
}

// limited counts what a network does, and says to wait when that is too much.
// It has answered when it returns true.
func (k *call) limited(what string, most int) bool {
	wait := k.windows.Begin(k.now(), throttle.Limit{Key: what + " " + throttle.Network(k.address()), Most: most})
	if wait == 0 {
		return false
	}
	k.tooMany(k.w, k.Request)
	return true
}

// tooMany says to wait for a minute.
func (s *Server) tooMany(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Retry-After", "60")
	s.failure(w, r, http.StatusTooManyRequests, "Too many people sign on from here at once. Please try again in a minute.")
}
