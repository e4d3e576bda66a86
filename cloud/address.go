package cloud

import (
	"net/netip"
	"slices"
	"strings"
)

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
