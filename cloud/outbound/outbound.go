// Package outbound owns how the cloud reaches addresses that somebody else chose: of
// webhooks, and of identity providers; and how what it sends there is signed.
//
// Called by alerts, by audit and by cloud, which hands clients on. It knows networks and
// nothing of what is sent.
//
// # Promises
//
//   - Only public addresses are reached, and networks that whoever runs the cloud has
//     allowed. The address is looked at when it is dialled, after every name was
//     resolved, so a name that changes what it means changes nothing.
//   - No redirect is followed, and no proxy of the environment is used.
//   - Every step has an end in time.
package outbound

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"
)

// The ends of steps.
const (
	dialTime   = 5 * time.Second
	headerTime = 10 * time.Second
)

// Guard says what may be reached.
type Guard struct {
	Allowed []netip.Prefix // networks that may be reached although they are not public
	Flag    string         // by which they are allowed, for who is refused
	RootCAs *x509.CertPool // nil: the system's
}

// PrivateError says that an address is not public.
type PrivateError struct{ Flag string }

// Error names the remedy.
func (e *PrivateError) Error() string {
	return "this address is not public: whoever runs the cloud may allow its network by " + e.Flag
}

// Client returns a client that the guard holds. A request takes at most the given
// time, its answer included; 0: what its context says.
func (g Guard) Client(most time.Duration) *http.Client {
	dialer := net.Dialer{Timeout: dialTime, Control: g.control}
	return &http.Client{
		Timeout: most,
		Transport: &http.Transport{
			DialContext:            dialer.DialContext,
			TLSClientConfig:        &tls.Config{RootCAs: g.RootCAs, MinVersion: tls.VersionTLS12},
			DisableKeepAlives:      true,
			TLSHandshakeTimeout:    dialTime,
			ResponseHeaderTimeout:  headerTime,
			MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Names is a *PrivateError for a URL that names an address which may not be reached: by its
// numbers, or as this machine. Of another name it says nothing, since it asks no resolver, and
// of what is no URL.
func (g Guard) Names(address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return nil
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") { // RFC 6761 section 6.3
		host = "127.0.0.1"
	}
	a, err := netip.ParseAddr(host)
	if err != nil || g.reachable(a.WithZone("").Unmap()) {
		return nil
	}
	return &PrivateError{g.Flag}
}

func (g Guard) control(_, address string, _ syscall.RawConn) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("address: %w", err)
	}
	if !g.reachable(a.Addr().Unmap()) {
		return &PrivateError{g.Flag}
	}
	return nil
}

// notPublic are networks that are nobody's, or one's own, and are not told by netip.
var notPublic = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b::/96"),
	netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("fec0::/10"),
}

func (g Guard) reachable(a netip.Addr) bool {
	in := func(n netip.Prefix) bool { return n.Contains(a) }
	if slices.ContainsFunc(g.Allowed, in) {
		return true
	}
	return a.IsGlobalUnicast() && !a.IsPrivate() && !slices.ContainsFunc(notPublic, in)
}
