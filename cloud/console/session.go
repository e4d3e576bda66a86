package console

import (
	"errors"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"

	"ldap-gateway/cloud/store"
)

// What a session holds.
const (
	adminKey  = "administrator" // the name
	adminID   = "administratorID"
	noticeKey = "notice" // a sentence for the next page
)

// How long a session lives.
const (
	sessionIdle     = 30 * time.Minute
	sessionLifetime = 12 * time.Hour
)

// sessionsOf returns the sessions, kept in the store. It is no scs.New, which
// would start a memory store of its own with a goroutine that never ends.
func sessionsOf(s *Server) *scs.SessionManager {
	cookie := scs.SessionCookie{Name: "ldap-cloud-console", Path: "/console/", HttpOnly: true, SameSite: http.SameSiteLaxMode}
	if s.Secure {
		// The prefix keeps a neighbouring host name from planting a cookie.
		cookie.Name, cookie.Path, cookie.Secure = "__Host-ldap-cloud-console", "/", true
	}
	return &scs.SessionManager{IdleTimeout: sessionIdle, Lifetime: sessionLifetime, Store: store.Sessions{Store: s.Store}, Codec: scs.GobCodec{}, Cookie: cookie}
}

// signedIn lets an endpoint be reached by administrators only, and sends others
// to the sign-in page.
func (c *console) signedIn(e endpoint) endpoint {
	return func(k *call) error {
		admin, err := c.administrator(k)
		if errors.Is(err, store.ErrNotFound) {
			return k.goTo(signInPath(k.Request))
		}
		if err != nil {
			return err
		}
		k.admin = &admin
		return e(k)
	}
}

// administrator returns who the session belongs to, as the store has them now;
// store.ErrNotFound when it belongs to nobody.
func (c *console) administrator(k *call) (store.Administrator, error) {
	name, id := c.sessions.GetString(k.Context(), adminKey), c.sessions.GetString(k.Context(), adminID)
	if name == "" {
		return store.Administrator{}, store.ErrNotFound
	}
	admin, err := c.Store.Administrator(k.Context(), name)
	if err == nil && (admin.ID != id || admin.PasswordHash == "") {
		err = store.ErrNotFound
	}
	return admin, err
}

// signInPath returns the sign-in page that leads back to where a request wanted to go.
func signInPath(r *http.Request) string {
	if r.Method != http.MethodGet || r.URL.Path == "/console/" {
		return "/console/sign-in"
	}
	return "/console/sign-in?next=" + url.QueryEscape(r.URL.RequestURI())
}

// backTo returns where to go after signing in: next when it is a page of this
// console, else the first one.
func backTo(next string) string {
	const first = "/console/gateways"
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" || strings.ContainsAny(next, "\\\t\r\n") ||
		!strings.HasPrefix(path.Clean(u.Path)+"/", "/console/") || !strings.HasPrefix(next, "/console/") {
		return first
	}
	return next
}

// signInForm is the sign-in page.
type signInForm struct{ Name, Next, Error, Notice string }

func (c *console) showSignIn(k *call) error {
	form := signInForm{Name: k.query("name"), Next: k.query("next")}
	if k.query("after") == "setup" {
		form.Notice = "Your password is set. Sign in with it."
	}
	return k.render(http.StatusOK, "sign-in", "Sign in", form)
}

func (c *console) doSignIn(k *call) error {
	form := signInForm{Name: k.posted("name"), Next: k.posted("next")}
	guess := k.guessOf("password", form.Name)
	if form.Error = k.throttled(guess); form.Error != "" {
		return k.render(http.StatusTooManyRequests, "sign-in", "Sign in", form)
	}
	admin, good, err := c.prove(k, form.Name, k.PostForm.Get("password"))
	if err != nil {
		return err
	}
	if !good {
		c.log().Info("an administrator's sign-in was refused", "administrator", form.Name, "address", k.address())
		form.Error = "The name or the password is wrong."
		return k.render(http.StatusForbidden, "sign-in", "Sign in", form)
	}
	c.right(guess)
	return c.begin(k, admin, backTo(form.Next))
}

// prove tells whether a password is the administrator's. It costs the same for
// a name that does not exist.
func (c *console) prove(k *call, name, password string) (admin store.Administrator, good bool, err error) {
	admin, err = c.Store.Administrator(k.Context(), name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return admin, false, err
	}
	if len(password) > maxPassword {
		return admin, false, nil
	}
	good, err = c.checkPassword(k.Context(), admin.PasswordHash, password)
	return admin, good, err
}

// begin starts the session of an administrator under a new token: one that was
// there before, whoever planted it, is worth nothing.
func (c *console) begin(k *call, admin store.Administrator, next string) error {
	if err := c.sessions.RenewToken(k.Context()); err != nil {
		return err
	}
	if err := c.sessions.Clear(k.Context()); err != nil {
		return err
	}
	c.sessions.Put(k.Context(), adminKey, admin.Name)
	c.sessions.Put(k.Context(), adminID, admin.ID)
	k.admin = &admin
	k.did("administrator.signed-in", "administrator:"+admin.ID, "the console was opened", map[string]any{"address": k.address()})
	return k.goTo(next)
}

func (c *console) doSignOut(k *call) error {
	if err := c.sessions.Destroy(k.Context()); err != nil {
		return err
	}
	return k.goTo("/console/sign-in")
}
