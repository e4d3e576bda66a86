package console

import (
	"strconv"
	"sync"
	"time"

	"ldap-gateway/cloud/store"
)

const (
	guessWindow = 10 * time.Minute
	guessLimit  = 5
	// addressLimit is for all names together that one address tries.
	addressLimit = 50
	// guessKeys bounds the memory that strangers can make us use.
	guessKeys = 10_000
)

// guess is whose secret is guessed, from where, and which.
type guess struct{ kind, name, address string }

// guesses counts what was tried, in a window of time.
type guesses struct {
	mu    sync.Mutex
	start time.Time
	tried map[guess]int
}

// take counts one try before it is made, so that many at once count too. It
// returns how long to wait instead of trying; zero to go ahead.
func (g *guesses) take(k guess, now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.tried == nil || now.Sub(g.start) >= guessWindow || now.Before(g.start) {
		g.start, g.tried = now, map[guess]int{}
	}
	_, known := g.tried[k]
	if g.tried[k] >= guessLimit || g.tried[k.anyName()] >= addressLimit || !known && len(g.tried) >= guessKeys {
		return g.start.Add(guessWindow).Sub(now)
	}
	g.tried[k]++
	g.tried[k.anyName()]++
	return 0
}

// anyName stands for all guesses from an address.
func (k guess) anyName() guess { return guess{address: k.address} }

// forget is for a try that was right.
func (g *guesses) forget(k guess) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.tried[k.anyName()] -= g.tried[k]
	delete(g.tried, k)
}

// guessOf returns whose secret of that kind this call tries.
func (k *call) guessOf(kind, name string) guess {
	if len(name) > 256 {
		name = name[:256] // no administrator has such a name
	}
	return guess{kind, store.Fold(name), k.address()}
}

// throttled counts a try, and returns a sentence when there were too many.
func (k *call) throttled(g guess) string {
	wait := k.console.guesses.take(g, k.console.now())
	if wait <= 0 {
		return ""
	}
	k.w.Header().Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
	k.console.log().Warn("too many wrong tries", "kind", g.kind, "administrator", g.name, "address", g.address)
	minutes := int((wait + time.Minute - 1) / time.Minute)
	return "Too many wrong tries. Wait " + plural(minutes, "minute") + " and try again."
}
