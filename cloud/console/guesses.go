package console

import (
	"strconv"
	"time"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/throttle"
)

const (
	// Who mistypes needs a few tries; who guesses has 720 a day for one name from one
	// address.
	guessWindow = 10 * time.Minute
	guessLimit  = 5
	// addressLimit is for all names together that one address tries.
	addressLimit = 50
)

// guess is whose secret is guessed, from where, and which.
type guess struct{ kind, name, address string }

// key counts the tries of one name from one address. Without the address anybody could
// lock out an administrator whose name they know.
func (g guess) key() string { return "guess:" + g.kind + "/" + g.name + "/" + g.address }

// addressKey counts what one address tries of all names and all kinds together.
func (g guess) addressKey() string { return "address:" + g.address }

// guessOf returns whose secret of that kind this call tries.
// The name is folded as the store folds it, or another spelling would be tries anew.
func (k *call) guessOf(kind, name string) guess {
	if len(name) > 256 {
		name = name[:256] // no administrator has such a name
	}
	return guess{kind, store.Fold(name), k.address()}
}

// try counts a try, or returns how long to wait instead of it.
// It counts before anything is checked, so that many at once do not slip through.
func (c *console) try(g guess) time.Duration {
	return c.guesses.Begin(c.now(), throttle.Limit{
		Key:  g.key(),
		Most: guessLimit,
	}, throttle.Limit{Key: g.addressKey(), Most: addressLimit})
}

// throttled counts a try, and returns a sentence when there were too many.
// Retry-After is in seconds (RFC 9110 section 10.2.3). Seconds and minutes are rounded
// up: who waits as told is not refused once more.
func (k *call) throttled(g guess) string {
	wait := k.console.try(g)
	if wait <= 0 {
		return ""
	}
	k.w.Header().Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
	k.console.log().Warn("too many wrong tries", "kind", g.kind, "administrator", g.name, "address", g.address)
	minutes := int((wait + time.Minute - 1) / time.Minute)
	return "Too many wrong tries. Wait " + plural(minutes, "minute") + " and try again."
}

// right takes back the tries of a guess that was right in the end.
// Of the tries of the address only those of this guess go, and what was tried from
// there for other names stays counted.
func (c *console) right(g guess) {
	c.guesses.Undo(g.addressKey(), c.guesses.Forget(g.key()))
}
