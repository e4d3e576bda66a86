package console

import (
	"cmp"
	"net/http"
	"strconv"
	"time"

	"ldap-gateway/cloud/administrators"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/throttle"

	"github.com/hashicorp/go-hclog"
)

const (
	// Who mistypes needs a few tries; who guesses has 720 a day for one name from one
	// network.
	guessWindow = 10 * time.Minute
	guessLimit  = 5
	// networkLimit is for all names together that one network tries.
	networkLimit = 50
)

// guess is whose secret is guessed, from where, and which.
type guess struct {
	administrators.Guess // without an account nobody has the name, or it does not matter
	name, network        string
}

// key counts the tries of one name from one network. Without the network anybody could
// lock out an administrator whose name they know.
func (g guess) key() string { return "guess:" + string(g.Proof) + "/" + g.name + " " + g.network }

// networkKey counts what one network tries of all names and all kinds together.
func (g guess) networkKey() string { return "network " + g.network }

// guessOf returns whose secret of that kind this call tries; account is the ID of who has
// the name. The name is folded as the store folds it, or another spelling would be tries
// anew.
func (k *call) guessOf(proof administrators.Proof, name, account string) guess {
	if len(name) > 256 {
		name = name[:256] // no administrator has such a name
	}
	of := administrators.Guess{Proof: proof, Account: account}
	g := guess{Guess: of, name: store.Fold(name), network: throttle.Network(k.address())}
	if kept, err := k.Cookie(k.console.browserCookie().Name); err == nil && account != "" {
		g.Known = k.console.Proofs.Knows(account, kept.Value)
	}
	return g
}

// try counts a try, or returns how long to wait instead of it.
// It counts before anything is checked, so that many at once do not slip through.
func (c *console) try(k *call, g guess) (wait time.Duration, err error) {
	if !g.Known {
		wait = c.guesses.Begin(c.now(), throttle.Limit{
			Key:  g.key(),
			Most: guessLimit,
		}, throttle.Limit{Key: g.networkKey(), Most: networkLimit})
	}
	if wait > 0 || g.Account == "" {
		return wait, nil
	}
	if wait, err = c.Proofs.BeginGuess(k.Context(), g.Guess); wait > 0 {
		c.Bounds.Of(throttle.Tries).Bite(c.now(), g.network)
	}
	return wait, err
}

// throttled counts a try, and returns a sentence when there were too many.
// Retry-After is in seconds (RFC 9110 section 10.2.3). Seconds and minutes are rounded
// up: who waits as told is not refused once more.
func (k *call) throttled(g guess) (sentence string, err error) {
	wait, err := k.console.try(k, g)
	if err != nil || wait <= 0 {
		return "", err
	}
	k.w.Header().Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
	k.console.stranger("too many wrong tries", "kind", g.Proof, "administrator", g.name, "network", g.network)
	minutes := int((wait + time.Minute - 1) / time.Minute)
	return "Too many wrong tries. Wait " + plural(minutes, "minute") + " and try again.", nil
}

// stranger logs what somebody without a session did, so many times an hour.
func (c *console) stranger(message string, args ...any) {
	c.log().Log(c.lines.Level(message, hclog.Info), message, args...)
}

// right takes back the tries of a guess that was right in the end.
// Of the tries of the network only those of this guess go, and what was tried from there
// for other names stays counted.
func (c *console) right(k *call, g guess) error {
	c.guesses.Undo(g.networkKey(), c.guesses.Forget(g.key()))
	if g.Account == "" {
		return nil
	}
	return c.Proofs.GuessedRight(k.Context(), g.Guess)
}

// browserCookie is the cookie by which a browser is known that has signed somebody in.
func (c *console) browserCookie() http.Cookie {
	like := c.sessions.Cookie
	return http.Cookie{
		Name:     like.Name + "-known",
		Path:     like.Path,
		Secure:   like.Secure,
		HttpOnly: true,
		SameSite: like.SameSite,
		MaxAge:   int(throttle.KnownLife.Seconds()),
	}
}

// knowBrowser has the browser be known as one by which somebody has signed in.
func (k *call) knowBrowser(p *person) {
	cookie := k.console.browserCookie()
	cookie.Value = k.console.Proofs.KnownBrowser(p.account())
	http.SetCookie(k.w, &cookie)
}

// account is by what the tries of somebody are counted: an administrator's ID, or a
// person's.
func (p *person) account() string { return cmp.Or(p.ID, p.UserID) }
