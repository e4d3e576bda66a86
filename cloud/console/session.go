package console

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"

	"ldap-gateway/cloud/administrators"
	"ldap-gateway/cloud/management"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/throttle"
	"ldap-gateway/cloud/web"
)

// What a session holds.
const (
	// Sessions in the store have these names: another name finds nothing in those that
	// there are.
	adminKey    = "administrator" // the name
	adminID     = "administratorID"
	proofsKey   = "proofs"      // mark of the administrator's proofs at that time
	userKey     = "user"        // ID of a user whose groups give a role
	userEnv     = "environment" // of that user
	providerKey = "provider"    // ID of the identity provider that the user signed on through
	noticeKey   = "notice"      // a sentence for the next page
	warningKey  = "warning"     // one that says why nothing was done
	factorKey   = "factor"      // the second factor that the user gave; empty: none
	fewKey      = "few"         // that few recovery codes are left, in words
	weakKey     = "weak"        // signed in with a password, and has nothing better
	pendingKey  = "pending"     // name of who has proven a password, and not yet the rest
	signOffsKey = "signOffs"    // of that user
	nextKey     = "next"        // where that one wanted to go
	oneTimeKey  = "oneTime"     // new secret, not kept yet
	askedKey    = "asked"       // what a browser was asked about passkeys
)

// How long a session lives.
const (
	sessionIdle     = 30 * time.Minute
	sessionLifetime = 12 * time.Hour
)

// sessionsOf returns the sessions, kept in the store. It is no scs.New, which
// would start a memory store of its own with a goroutine that never ends.
func sessionsOf(s *Server) *scs.SessionManager {
	return &scs.SessionManager{
		IdleTimeout: sessionIdle,
		Lifetime:    sessionLifetime,
		Store:       store.Sessions{Store: s.Store},
		Codec:       scs.GobCodec{},
		Cookie:      web.Cookie("ldap-cloud-console", "/console/", s.Secure),
	}
}

// signedIn lets an endpoint be reached by those who may do an action, and sends
// others to the sign-in page.
func (c *console) signedIn(a management.Action, e endpoint) endpoint {
	return func(k *call) error {
		p, err := c.person(k)
		if errors.Is(err, store.ErrNotFound) {
			return k.goTo(signInPath(k.Request))
		}
		if err != nil {
			return err
		}
		k.admin, k.action = &p, a
		if !management.May(p.Role, a) {
			return errRole
		}
		again, err := c.toGive(k, p)
		if err != nil {
			return err
		}
		if again { // the sign-on page asks for it, and leads back
			return k.goTo(enterPath(p.EnvironmentID))
		}
		missing, err := c.lacksFactor(k)
		if err != nil {
			return err
		}
		if missing {
			return k.undone(
				"/console/account",
				"This environment wants a second factor of every administrator. Set one up to go on.",
			)
		}
		return e(k)
	}
}

// still returns an error when a session that began a long answer is one no more: it ended, or
// whoever it is of was deleted, signed off or lost every role. It is read anew, since what
// the request has of it is from the beginning.
func (c *console) still(k *call) error {
	cookie, err := k.Cookie(c.sessions.Cookie.Name)
	if err != nil {
		return store.ErrNotFound
	}
	ctx, err := c.sessions.Load(web.Bare(k.Context()), cookie.Value)
	if err != nil {
		return err
	}
	now, err := c.person(&call{Request: k.WithContext(ctx), console: c, w: k.w})
	if err != nil {
		return err
	}
	if now.EnvironmentID != k.env() || !management.May(now.Role, management.Read) {
		return errRole
	}
	return nil
}

// person returns who the session belongs to, as the store has them now;
// store.ErrNotFound when it belongs to nobody.
func (c *console) person(k *call) (person, error) {
	if id := c.sessions.GetString(k.Context(), userKey); id != "" {
		by := store.SignedOn{UserID: id, ProviderID: c.sessions.GetString(k.Context(), providerKey)}
		p, err := c.user(k, c.sessions.GetString(k.Context(), userEnv), by)
		if err == nil {
			err = c.stillProven(k, p)
		}
		return p, err
	}
	name, id := c.sessions.GetString(k.Context(), adminKey), c.sessions.GetString(k.Context(), adminID)
	if name == "" {
		return person{}, store.ErrNotFound
	}
	admin, err := c.Store.Administrator(k.Context(), name)
	// The name may have been given to somebody else meanwhile.
	if err == nil && admin.ID != id {
		err = store.ErrNotFound
	}
	if err != nil {
		return person{}, err
	}
	p := person{Administrator: admin}
	return p, c.stillProven(k, p)
}

// stillProven returns store.ErrNotFound when somebody's proofs are not those that
// the session began with: whoever opened it by a password, a passkey or one-time
// passwords that were given up since is out, and so is who was signed off everywhere.
func (c *console) stillProven(k *call, p person) error {
	mark, err := c.Proofs.Mark(k.Context(), p.Administrator)
	if err != nil {
		return err
	}
	unset := p.own() && p.PasswordHash == ""
	signedOff := p.SignOffs != c.sessions.GetInt(k.Context(), signOffsKey)
	if unset || signedOff || mark != c.sessions.GetString(k.Context(), proofsKey) {
		return store.ErrNotFound
	}
	return nil
}

// keepProofs has the session go on with somebody's proofs as they are.
func (c *console) keepProofs(k *call, p person) error {
	mark, err := c.Proofs.Mark(k.Context(), p.Administrator)
	c.sessions.Put(k.Context(), proofsKey, mark)
	c.sessions.Put(k.Context(), signOffsKey, p.SignOffs)
	return err
}

// signInPath returns the sign-in page that leads back to where a request wanted to go.
// Where a form was sent to may be nothing to read, so only pages are led back to.
func signInPath(r *http.Request) string {
	if r.Method != http.MethodGet || r.URL.Path == "/console/" {
		return "/console/sign-in"
	}
	return "/console/sign-in?next=" + url.QueryEscape(r.URL.RequestURI())
}

// backTo returns where to go after signing in: next when it is a page of this
// console, else the first one.
// Were it any address, a link with this console's own name could end at a page of a
// stranger that asks for the password once more.
func backTo(next string) string {
	const first = "/console/"
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" {
		return first
	}
	// Browsers take a backslash for a slash and leave tabs and line breaks out, and two
	// dots must not lead out of the console.
	if strings.ContainsAny(next, "\\\t\r\n") || !strings.HasPrefix(next, "/console/") ||
		!strings.HasPrefix(path.Clean(u.Path)+"/", "/console/") {
		return first
	}
	return next
}

// signInForm is the sign-in page.
type signInForm struct {
	Name, Next, Error, Notice string
	PasskeySite               administrators.PasskeySite
	Organisation              string // address for those with an account of their own; empty: none
	First                     bool   // nobody has a password yet
}

// showSignIn believes little of its address.
// What after and name in the address can say is one of a few sentences, and a name to
// fill in: a link from elsewhere cannot put words into the page.
func (c *console) showSignIn(k *call) error {
	form := signInForm{Name: k.query("name"), Next: k.query("next")}
	switch k.query("after") {
	case "setup":
		form.Notice = "Your password is set. Sign in with it."
	case "organisation":
		form.Error = "Your account gives you no role in this console. Ask an administrator to add one of your groups."
	}
	if form.Notice == "" {
		first, err := c.Store.FirstAdministrator(k.Context())
		if err != nil {
			return err
		}
		if form.First = first.PasswordHash == ""; form.First {
			form.Notice = "Nobody has set a password yet. Open the link that \"ldap-cloud init\" printed; to get a new one, " +
				"run it once more."
		}
	}
	return c.renderSignIn(k, http.StatusOK, form)
}

// renderSignIn offers passkeys where the console is known by a name, and accounts of
// the organisation where groups give roles.
func (c *console) renderSignIn(k *call, status int, form signInForm) (err error) {
	form.PasskeySite = c.Proofs.PasskeySite()
	if form.Organisation, err = c.organisation(k); err != nil {
		return err
	}
	return k.render(status, "sign-in", "Sign in", form)
}

// doSignIn takes the password. A wrong one and a name that does not exist get the same
// answer after the same work. With a second factor there is no session yet, only the
// right to be asked for it; without any the session begins, and each page says that one
// is missing.
func (c *console) doSignIn(k *call) error {
	form := signInForm{Name: k.posted("name"), Next: k.posted("next")}
	admin, err := c.Store.Administrator(k.Context(), form.Name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	guess := k.guessOf(administrators.Password, form.Name, admin.ID)
	form.Error, err = k.try(guess, func() error { return c.prove(k, guess, admin, k.PostForm.Get("password")) })
	switch {
	case form.Error != "":
		return c.renderSignIn(k, http.StatusTooManyRequests, form)
	case errors.Is(err, throttle.ErrFull):
		form.Error = "Many people sign in at this moment. Wait two seconds and try again."
		return c.renderSignIn(k, web.Later(k.w), form)
	case errors.Is(err, administrators.ErrProof):
		c.unproven(k, "sign-in", form.Name)
		form.Error = "The name or the password is wrong."
		return c.renderSignIn(k, http.StatusForbidden, form)
	case err != nil:
		return err
	}
	keys, err := c.Store.Passkeys(k.Context(), admin.ID)
	if err != nil {
		return err
	}
	if len(admin.TOTP) > 0 || len(keys) > 0 {
		return c.askSecond(k, person{Administrator: admin}, form.Next)
	}
	if err := c.begin(k, &person{Administrator: admin}, "password"); err != nil {
		return err
	}
	// To begin empties the session, so this comes after it.
	c.sessions.Put(k.Context(), weakKey, true)
	return k.goTo(backTo(form.Next))
}

// prove checks an administrator's password. It is administrators.ErrProof when it is wrong. It
// costs the same for a name that does not exist: with no hash it is no, after as long a time.
func (c *console) prove(k *call, g guess, admin store.Administrator, password string) error {
	who := administrators.Stranger(g.network, g.name)
	if g.Known {
		who = administrators.Known(g.Account)
	}
	return c.checkPassword(k, who, admin.PasswordHash, password)
}

// checkPassword is administrators.ErrProof when a password is not that of a hash.
func (c *console) checkPassword(k *call, who throttle.Who, hash, password string) error {
	good, err := c.Proofs.CheckPassword(k.Context(), who, hash, password)
	if err == nil && !good {
		err = administrators.ErrProof
	}
	return err
}

// renew gives the session a new token and takes everything out of it: one that
// was there before, whoever planted it, is worth nothing.
func (c *console) renew(k *call) error {
	// Both are done, whatever comes of the first.
	return cmp.Or(c.sessions.RenewToken(k.Context()), c.sessions.Clear(k.Context()))
}

// begin starts the session of somebody who has proven who they are, and how.
func (c *console) begin(k *call, p *person, how string) error {
	if err := c.renew(k); err != nil {
		return err
	}
	// The session is empty now, so that it is never of an administrator and a person at
	// once.
	if k.admin = p; p.own() {
		c.sessions.Put(k.Context(), adminKey, p.Name)
		c.sessions.Put(k.Context(), adminID, p.ID)
	} else {
		c.sessions.Put(k.Context(), userKey, p.UserID)
		c.sessions.Put(k.Context(), userEnv, p.EnvironmentID)
		c.sessions.Put(k.Context(), providerKey, p.ProviderID)
	}
	if err := c.keepProofs(k, *p); err != nil {
		return err
	}
	if err := c.countCodes(k); err != nil {
		return err
	}
	k.knowBrowser(p)
	return c.Management.SignedIn(k.Context(), k.by(), how)
}

// doSignOut ends the session where it is kept, not only in the browser. One that
// lacks the second factor that its environment wants can be ended too.
func (c *console) doSignOut(k *call) error {
	if err := c.sessions.Destroy(k.Context()); err != nil {
		return err
	}
	return k.goTo("/console/sign-in")
}
