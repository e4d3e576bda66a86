package console

import (
	"cmp"
	"context"
	"errors"
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

// try has check look at a guess, having counted it: of many at once no more are looked at
// than may be wrong. What was counted stays when check says administrators.ErrProof. When it
// has no error, all tries of the guess are taken back. Any other error says that nothing was
// checked, as when the queue is full, the browser is gone or the store is away: then this one
// try is taken back. The sentence says that there were too many, and nobody looked.
func (k *call) try(g guess, check func() error) (sentence string, err error) {
	c, now := k.console, k.console.now()
	wait, err := c.count(k, g, now)
	if err != nil {
		return "", err
	}
	if wait > 0 {
		return k.tooMany(g, wait), nil
	}
	switch err = check(); {
	case err == nil:
		err = c.right(k, g)
	case !errors.Is(err, administrators.ErrProof):
		c.undo(k, g, now)
	}
	return "", err
}

// count counts a try, or returns how long to wait, having counted nothing.
func (c *console) count(k *call, g guess, now time.Time) (wait time.Duration, err error) {
	if !g.Known {
		wait = c.guesses.Begin(now, throttle.Limit{
			Key:  g.key(),
			Most: guessLimit,
		}, throttle.Limit{Key: g.networkKey(), Most: networkLimit})
	}
	if wait > 0 || g.Account == "" {
		return wait, nil
	}
	if wait, err = c.Proofs.BeginGuess(k.Context(), g.Guess, now); wait > 0 {
		c.Bounds.Of(throttle.Tries).Bite(now, g.network)
	}
	if wait > 0 || err != nil {
		c.undoHere(g)
	}
	return wait, err
}

// undo takes back one try that was counted at a time. It does so for who is gone, too.
func (c *console) undo(k *call, g guess, begun time.Time) {
	c.undoHere(g)
	if g.Account == "" {
		return
	}
	if err := c.Proofs.UndoGuess(context.WithoutCancel(k.Context()), g.Guess, begun); err != nil {
		c.log().Warn("a try that came to nothing stays counted", "administrator", g.name, "error", err)
	}
}

// undoHere takes back one try of those that this node counts.
func (c *console) undoHere(g guess) {
	if !g.Known {
		c.guesses.Undo(g.key(), 1)
		c.guesses.Undo(g.networkKey(), 1)
	}
}

// tooMany is a sentence for who is to wait.
// Retry-After is in seconds (RFC 9110 section 10.2.3). Seconds and minutes are rounded
// up: who waits as told is not refused once more.
func (k *call) tooMany(g guess, wait time.Duration) string {
	k.w.Header().Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
	k.console.stranger("too many wrong tries", "kind", g.Proof, "administrator", g.name, "network", g.network)
	minutes := int((wait + time.Minute - 1) / time.Minute)
	return "Too many wrong tries. Wait " + plural(minutes, "minute") + " and try again."
}

// stranger logs what somebody without a session did, so many times an hour.
func (c *console) stranger(message string, args ...any) {
	c.log().Log(c.lines.Level(message, hclog.Info), message, args...)
}

// unproven logs that somebody did not prove who they are, and has an administrator find it.
func (c *console) unproven(k *call, what, name string) {
	c.stranger("an administrator's "+what+" was refused", "administrator", name, "address", k.address())
	if err := c.Proofs.NoteRefused(k.Context(), what, name, k.address()); err != nil {
		c.log().Error("a refusal was not written", "administrator", name, "error", err)
	}
}

// right takes back the tries of a guess that was right in the end.
// Of the tries of the network only those of this guess go, and what was tried from there
// for other names stays counted.
func (c *console) right(k *call, g guess) error {
	c.guesses.Undo(g.networkKey(), c.guesses.Forget(g.key()))
	if g.Account == "" {
		return nil
	}
	return c.Proofs.GuessedRight(context.WithoutCancel(k.Context()), g.Guess)
}

// forget takes back every try of an administrator who has proven more than can be guessed, by
// a set-up secret or a passkey: whatever strangers tried before, they need not wait.
func (c *console) forget(k *call, a store.Administrator) {
	for _, proof := range administrators.Proofs() {
		g := k.guessOf(proof, a.Name, "")
		c.guesses.Undo(g.networkKey(), c.guesses.Forget(g.key()))
	}
	if err := c.Proofs.ForgetGuesses(context.WithoutCancel(k.Context()), a.ID); err != nil {
		c.log().Warn("an administrator's tries stay counted", "administrator", a.Name, "error", err)
	}
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
