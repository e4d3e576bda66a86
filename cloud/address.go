package cloud

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// realAddress gives every request the address of who sent it in the first place.
// Only the proxies in trusted are believed when they name another than
// themselves: in X-Forwarded-For, read from its right end, where each adds who
// talked to it. What stands to the left of the first that is not trusted may be
// made up. Every throttle and every record takes the address from the request.
func realAddress(trusted []netip.Prefix, next http.Handler) http.Handler {
	if len(trusted) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
			if real := lastUntrusted(trusted, host, r.Header.Values("X-Forwarded-For")); real != "" {
				r = r.WithContext(r.Context()) // a copy: the server keeps the original
				r.RemoteAddr = net.JoinHostPort(real, "0")
			}
		}
		next.ServeHTTP(w, r)
	})
}

// lastUntrusted returns the last address on the way here that is no trusted
// proxy; the first proxy when all are; empty when peer itself is not trusted.
func lastUntrusted(trusted []netip.Prefix, peer string, forwarded []string) (real string) {
	hops := strings.Split(strings.Join(forwarded, ","), ",")
	slices.Reverse(hops)
	for _, hop := range append([]string{peer}, hops...) {
		a, ok := hopAddress(hop)
		if !ok {
			return real // what it says is not an address: the hop that wrote it is as far as one knows
		}
		isProxy := slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(a) })
		if !isProxy && real == "" {
			return ""
		}
		if real = a.String(); !isProxy {
			return real
		}
	}
	return real
}

// hopAddress reads one address of X-Forwarded-For, which some proxies write with
// a port.
func hopAddress(text string) (netip.Addr, bool) {
	text = strings.TrimSpace(text)
	if withPort, err := netip.ParseAddrPort(text); err == nil {
		return withPort.Addr().Unmap().WithZone(""), true
	}
	a, err := netip.ParseAddr(strings.Trim(text, "[]"))
	return a.Unmap().WithZone(""), err == nil
}
