package signonpage

import (
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"ldap-gateway/cloud/applications"
	"ldap-gateway/cloud/kerberos"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/throttle"
	"ldap-gateway/cloud/web"
)

// form is the sign-on page.
type form struct {
	Flow, Application string // empty: for nobody but the person
	Username          string
	Error             string
	Ticket            string // address that asks for one; empty: none is taken
	Choices           []choice
	Form              bool   // there is one beside the choices
	Then              string // as of [call.then]
	Anew              bool   // somebody else is to sign on
}

// show answers a browser that comes to sign on: with what it is there for when
// somebody has, else by ticket, else with the form.
// A sign-on that is too old for the application counts as none.
func (k *call) show() error {
	flow, err := k.flow()
	if err != nil {
		return err
	}
	way, err := k.plan(flow)
	if err != nil {
		return err
	}
	if k.anew() { // whoever was asked for a second factor is somebody else
		k.Sessions.dropHalf(k.Context(), k.env.ID)
	}
	by, ok := k.Sessions.Person(k.Context(), k.env.ID)
	if ok && !k.anew() && goodEnough(flow, by, k.now()) && way.Admits(by) {
		return k.again(flow, by)
	}
	// Who is to prove anew who they are is asked, and not their computer.
	if way.TakesPasswords() && kerberos.Negotiates(k.Header.Get("Authorization")) && (!flow.Anew || k.Form.Has("ticket")) {
		return k.ticket(flow)
	}
	if to, goes := k.straight(flow, way); goes {
		http.Redirect(k.w, k.Request, to, http.StatusSeeOther)
		return nil
	}
	// Everything that needs no page has been tried by here.
	if flow.Silent {
		return k.Flows.Refuse(k.w, k.Request, k.env.ID, flow.ID, applications.Nobody)
	}
	asks, err := k.asks(flow, way)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if asks {
		k.w.Header().Set("WWW-Authenticate", "Negotiate")
		status = http.StatusUnauthorized // with the form: a browser without a ticket shows it
	}
	return k.showForm(status, flow, k.another(flow, by), flow.LoginHint)
}

// flow returns what an application wants; one without an ID when none does.
// It is store.ErrNotFound when that has taken too long. From here on pages are in the
// language that the application wishes for.
func (k *call) flow() (applications.Flow, error) {
	id := k.Form.Get("flow")
	if id == "" {
		return applications.Flow{MaxAge: -1}, nil
	}
	f, err := k.Flows.Flow(k.Context(), k.env.ID, id)
	k.lang = spoken(k.Request, f.Locales)
	return f, err
}

// goodEnough tells whether a sign-on of before will do: it is of whom it must be, and not
// too old. A negative age takes any, and none takes nobody, whatever the clocks of two nodes say.
func goodEnough(flow applications.Flow, by store.SignedOn, now time.Time) bool {
	young := flow.MaxAge < 0 || flow.MaxAge > 0 && now.Sub(by.At) < flow.MaxAge
	return young && (flow.Subject == "" || flow.Subject == by.UserID)
}

// another says that somebody else is signed on than the application names; empty when
// nobody is, or it names nobody.
func (k *call) another(flow applications.Flow, by store.SignedOn) string {
	if by.UserID == "" || flow.Subject == "" || flow.Subject == by.UserID {
		return ""
	}
	return say(k.lang, "Somebody else is signed on in this browser than %s asks for.", flow.Application)
}

// arrive sends a browser in which somebody has signed on to where it wanted.
func (k *call) arrive(flow applications.Flow, by store.SignedOn) error {
	if flow.ID == "" && k.then() == thenPassword {
		return k.offerChange(by)
	}
	if flow.ID == "" && k.then() == thenFactors {
		http.Redirect(k.w, k.Request, "/"+k.env.ID+"/signon/factors", http.StatusSeeOther)
		return nil
	}
	// The console has a page of its own that finds out who it is.
	if flow.ID == "" && k.then() == thenConsole {
		http.Redirect(k.w, k.Request, "/console/organisation?e="+k.env.ID, http.StatusSeeOther)
		return nil
	}
	if flow.ID == "" {
		return k.account(by)
	}
	consents, err := k.consents(flow, by)
	if err != nil {
		return err
	}
	if consents {
		return k.confirm(flow, by, "")
	}
	next, on, err := k.answer(flow, by)
	if err != nil || !on {
		return err
	}
	http.Redirect(k.w, k.Request, next, http.StatusSeeOther)
	return nil
}

// Where somebody may want to go afterwards.
const (
	thenConsole  = "console"
	thenPassword = "password" // to the change of theirs
	thenFactors  = "factors"  // to their second factors
)

// then returns where somebody wants to go afterwards: to the console, to the change of their
// password, to their second factors, or nowhere. Nothing else is taken from the address, or a link could lead anywhere
// after a sign-on here.
func (k *call) then() string {
	if then := k.Form.Get("then"); slices.Contains([]string{thenConsole, thenPassword, thenFactors}, then) {
		return then
	}
	return ""
}

// anew tells whether somebody else than who is signed on at a provider wants to sign on.
func (k *call) anew() bool { return k.Form.Get("anew") == "1" }

// asks tells whether the browser is to be asked for a ticket.
// Where no gateway takes tickets it is never.
func (k *call) asks(flow applications.Flow, way *plan) (bool, error) {
	if !way.TakesPasswords() {
		return false, nil
	}
	taken, err := k.Tickets.Taken(k.Context(), k.env.ID)
	if err != nil || !taken || flow.Anew && !k.Form.Has("ticket") {
		return false, err
	}
	if flow.AskForTicket || k.Form.Has("ticket") {
		return true, nil
	}
	from, err := netip.ParseAddr(k.address())
	// From a socket in the file system there is no address, and so no network.
	if err != nil {
		return false, nil
	}
	return k.Tickets.Asks(k.Context(), k.env.ID, from.Unmap())
}

// ticket signs on by what the browser brought. When that is not taken, the form
// follows, with a status that no browser answers by itself.
// A refusal shows the form with what the person may know of it: the reason is for the
// administrator, and in the record.
func (k *call) ticket(flow applications.Flow) error {
	a, err := k.Tickets.SignOn(k.Context(), kerberos.Request{
		EnvironmentID: k.env.ID,
		Header:        k.Header.Get("Authorization"),
		Address:       k.address(),
	})
	if errors.Is(err, throttle.ErrFull) && !flow.Silent {
		return k.showForm(web.Later(k.w), flow, busy, flow.LoginHint)
	}
	if err != nil {
		return err
	}
	if a.Refusal != nil {
		if flow.Silent {
			return k.Flows.Refuse(k.w, k.Request, k.env.ID, flow.ID, applications.Nobody)
		}
		return k.showForm(http.StatusOK, flow, a.Refusal.Reason.Told(), flow.LoginHint)
	}
	if a.Header != "" {
		k.w.Header().Set("WWW-Authenticate", a.Header)
	}
	by := signedOn(a.SignOn)
	if on, err := k.begin(flow, by, time.Time{}); err != nil || !on {
		return err
	}
	return k.arrive(flow, by)
}

// here is the address of the sign-on page for the same purpose.
func (k *call) here(flow applications.Flow, more url.Values) string { return k.path("", flow, more) }

// path is the address of one of its pages for the same purpose.
// It has the environment, and nothing comes from the request but flow and then.
func (k *call) path(page string, flow applications.Flow, more url.Values) string {
	q := url.Values{}
	if flow.ID != "" {
		q.Set("flow", flow.ID)
	}
	if then := k.then(); then != "" {
		q.Set("then", then)
	}
	for name, values := range more {
		q[name] = values
	}
	return (&url.URL{Path: "/" + k.env.ID + "/signon" + page, RawQuery: q.Encode()}).String()
}

// showForm shows what an environment signs people on by: providers, a name that leads
// to one, a password.
func (k *call) showForm(status int, flow applications.Flow, problem, username string) error {
	// Where names lead to providers the name is asked for first, and then the password,
	// if there is none.
	f, way, err := k.newForm(flow, problem, username)
	switch {
	case err != nil:
		return err
	case way.blocked():
		f.Error = say(k.lang, "Nobody can sign on to %s at the moment. Please tell your administrator.", flow.Application)
		return k.render(http.StatusServiceUnavailable, "choose.html", "Sign on", f)
	case way.nameFirst() && username == "":
		f.Form = true
		return k.render(status, "name.html", "Sign on", f)
	case len(f.Choices) > 0 && !way.hasPasswords():
		return k.render(status, "choose.html", "Sign on", f)
	}
	f.Form = true
	return k.render(status, "form.html", "Sign on", f)
}

// showPassword shows the form for somebody whose name is known.
// It is the same for a name that nobody has.
func (k *call) showPassword(status int, flow applications.Flow, problem, username string) error {
	f, _, err := k.newForm(flow, problem, username)
	if err != nil {
		return err
	}
	f.Form = true
	return k.render(status, "form.html", "Sign on", f)
}

// newForm fills in what every form has.
func (k *call) newForm(
	flow applications.Flow, problem, username string,
) (f form, way *plan, err error) {
	f = form{
		Flow:        flow.ID,
		Then:        k.then(),
		Application: flow.Application,
		Username:    username,
		Error:       problem,
		Anew:        k.anew(),
	}
	if way, err = k.plan(flow); err != nil {
		return f, nil, err
	}
	f.Choices = k.choices(flow, way.offered)
	taken, err := k.Tickets.Taken(k.Context(), k.env.ID)
	if taken && way.TakesPasswords() {
		f.Ticket = k.here(flow, url.Values{"ticket": {"1"}})
	}
	return f, way, err
}
