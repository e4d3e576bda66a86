package cloud

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/throttle"
)

// fronts knows the proxies in front of a node, and notices those that are not set up as they
// should be. Safe for concurrent use.
type fronts struct {
	trusted []netip.Prefix // that are believed; none: nobody is
	logger  hclog.Logger
	now     func() time.Time

	lines throttle.Sample
	mu    sync.Mutex // guards what follows
	seen  map[netip.Addr]front
}

// front is what was noticed of an address that requests come from.
type front struct {
	trusted bool
	spoke   time.Time // last that it named whom it speaks for; zero: never
	silent  time.Time // last that it did not
}

// mostFronts bounds how many are kept: of strangers none is, unless they are in the network
// that proxies are in.
const mostFronts = 64

// spokeWithin is how long a proxy that named somebody is not told to name nobody: a person
// on its machine may come by themselves.
const spokeWithin = time.Hour

// wrap gives every request the address of who sent it in the first place.
// Only the proxies in trusted are believed when they name another than
// themselves: in X-Forwarded-For, read from its right end, where each adds who
// talked to it. What stands to the left of the first that is not trusted may be
// made up. Every throttle and every record takes the address from the request.
func (f *fronts) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.RemoteAddr)
		if peer, ok := hopAddress(host); err == nil && ok {
			f.note(peer, r)
			if real := lastUntrusted(f.trusted, host, r.Header.Values("X-Forwarded-For")); real != "" {
				r = r.WithContext(r.Context()) // a copy: the server keeps the original
				r.RemoteAddr = net.JoinHostPort(real, "0")
			}
		}
		next.ServeHTTP(w, r)
	})
}

// note looks at whether who sent a request may name others, and does.
func (f *fronts) note(peer netip.Addr, r *http.Request) {
	trusted := slices.ContainsFunc(f.trusted, func(p netip.Prefix) bool { return p.Contains(peer) })
	names := r.Header.Get("X-Forwarded-For") != "" || r.Header.Get("Forwarded") != "" || r.Header.Get("X-Real-Ip") != ""
	switch {
	case trusted && (r.URL.Path == "/live" || r.URL.Path == "/ready"): // which balancers ask for themselves
	case trusted:
		f.keep(peer, true, r.Header.Get("X-Forwarded-For") != "")
	case names && inside(peer):
		f.keep(peer, false, true)
		f.tell(peer.String(), peer, "a proxy is not among --trusted-proxy: what it says of others is not believed")
	case names: // anybody can write that, so it is told once for all
		f.tell("", peer, "somebody names another address, and is not among --trusted-proxy: it is not believed")
	}
}

// tell has the log say something once in an hour.
func (f *fronts) tell(kind string, peer netip.Addr, text string) {
	if keep, _ := f.lines.Keep(f.now(), kind, 1); keep {
		f.logger.Warn(text, "from", peer)
	}
}

// inside tells whether an address is of a network that proxies in front are usually in.
func inside(a netip.Addr) bool {
	return a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast() || netip.MustParsePrefix("100.64.0.0/10").Contains(a)
}

// keep notes that an address named whom it speaks for, or did not.
func (f *fronts) keep(peer netip.Addr, trusted, spoke bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	was, known := f.seen[peer]
	if !known && len(f.seen) >= mostFronts {
		return
	}
	if f.seen == nil {
		f.seen = map[netip.Addr]front{}
	}
	was.trusted = trusted
	if spoke {
		was.spoke = f.now()
	} else {
		was.silent = f.now()
	}
	f.seen[peer] = was
}

// alerts tells of proxies that were not long ago what they should not be.
func (f *fronts) alerts() (all []store.Alert) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for peer, p := range f.seen {
		recently := func(t time.Time, within time.Duration) bool { return !t.IsZero() && f.now().Sub(t) <= within }
		switch {
		case !p.trusted && recently(p.spoke, spokeWithin):
			all = append(all, nodeAlert("proxyNotTrusted", peer.String(),
				"If that is your proxy, run with --trusted-proxy "+peer.String()+
					": else everybody behind it has one address, in records and where tries are counted",
				"%s names the addresses of others (X-Forwarded-For) and is not trusted to", peer))
		case p.trusted && recently(p.silent, bitten) && !recently(p.spoke, spokeWithin):
			all = append(all, nodeAlert("proxyNamesNobody", peer.String(),
				"Have the proxy set X-Forwarded-For to the address that it sees; the handbook has nginx, haproxy and Apache",
				"the proxy %s does not say for whom it speaks: everybody behind it has one address", peer))
		case !recently(p.spoke, spokeWithin) && !recently(p.silent, spokeWithin):
			delete(f.seen, peer)
		}
	}
	slices.SortFunc(all, func(a, b store.Alert) int { return strings.Compare(a.Key, b.Key) })
	return all
}
