package directory

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"
	"github.com/hashicorp/go-hclog"
)

// Vendors that change how a directory is asked. Any other name is treated as
// VendorGeneric.
const (
	VendorOpenLDAP = "OpenLDAP"
	Vendor389      = "389 Directory Server"
	VendorAD       = "Microsoft Active Directory"
	VendorSamba    = "Samba Active Directory"
	VendorApacheDS = "ApacheDS"
	VendorGeneric  = "LDAP v3 compliant Directory Server"
)

// Config says where a directory is and how to ask it. Open fills in the defaults.
type Config struct {
	// Servers, in order of preference: "ldaps://host[:636]" or "ldap://host[:389]".
	// All must serve the same entries.
	Servers []string
	// Discover is a DNS domain whose SRV records name the servers, instead of Servers
	// (RFC 2782); those of the Active Directory site Site come first, if there is one.
	// Only hosts in the domain are used, with StartTLS, or LDAPS on port 636.
	Discover, Site string
	// DiscoverEvery is how often DNS is asked again; default 5 min.
	DiscoverEvery time.Duration
	// BaseDN is the suffix that group searches start from by default.
	BaseDN string
	// BindDN and BindPassword are the service account; with Kerberos or OwnIdentity it
	// binds by GSSAPI instead, and without all of them nobody does: anonymous.
	BindDN       string
	BindPassword Password
	Kerberos     *Kerberos
	OwnIdentity  bool // the account that this program runs as; on Windows only
	// Vendor overrides what the root DSE says; empty means ask the root DSE.
	Vendor string
	// AllowClearText lets ldap:// work without TLS. Otherwise ldap:// means StartTLS,
	// and a server that refuses it is never bound to.
	AllowClearText bool
	// FollowReferrals lets group searches go on at the ReferralHosts ("host" or
	// "host:port") that a server refers to, at most three in a row, with the service
	// account and the same TLS. Otherwise a reference makes a membership partial.
	FollowReferrals bool
	ReferralHosts   []string
	// GroupsFrom is "auto" (also ""), "memberOf" or "search".
	GroupsFrom string
	// ProveEvery is how often ProveMemberOf is done in the background, from the first
	// connection on; 0 means never. Without a proof, "auto" uses memberOf on Active
	// Directory only.
	ProveEvery time.Duration
	// WatchEvery is how often a server that is up is asked whether it still is, and up to a quarter more; 0 means never:
	// it is noticed at the next request.
	WatchEvery time.Duration
	// Canary, when set, is looked at every CanaryEvery (default 1 min). While it is not
	// seen, every membership is Unknown.
	Canary      Canary
	CanaryEvery time.Duration
	// BuiltInPrimaryGroups counts Domain Users, Domain Guests and Domain Computers of
	// Active Directory as groups when they are somebody's primary group.
	BuiltInPrimaryGroups bool
	// PosixPrimaryGroups counts the posixGroup that has a person's gidNumber (RFC 2307).
	PosixPrimaryGroups bool
	// MemberUIDFrom is the attribute of a person that memberUid holds; default uid.
	MemberUIDFrom string
	// MemberAttributes hold DNs of members besides member and uniqueMember, as roleOccupant.
	MemberAttributes []string
	// TLS says which certificates are believed; the zero value is the system's way.
	TLS TLS
	// Timeout bounds one operation; default 5 s.
	Timeout time.Duration
	// DialTimeout bounds TCP, TLS handshake and service bind together; default 3 s.
	DialTimeout time.Duration
	// SearchConns is the number of service connections for each server, default 2.
	SearchConns int
	// BindConns is how many user binds may be under way at once, default 64.
	BindConns int
	// Lifetime of a connection; default 10 min, since AD closes idle ones after 900 s.
	Lifetime time.Duration
	// Logger may be nil: nothing is logged then.
	Logger hclog.Logger
	// LookupSRV replaces net.DefaultResolver, for tests; nil means that one.
	LookupSRV func(ctx context.Context, name string) ([]*net.SRV, error)
	// Dial replaces net.Dialer, for tests and proxies; nil means net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// TLS says which certificates are believed.
type TLS struct {
	// RootCAs replaces the system's authorities; nil means the system's.
	RootCAs *x509.CertPool
	// PinsSHA256 are SHA-256 sums of a certificate's DER. When there are any, a server
	// certificate is believed if it has a pinned sum (name and dates are then not
	// looked at), or if it verifies up to a pinned certificate that the server sent.
	PinsSHA256 [][]byte
	// ServerName replaces the host name of the URL in the check of the certificate.
	ServerName string
	// MinVersion is as in crypto/tls; 0 means TLS 1.2.
	MinVersion uint16
	// Certificate is shown to a server that asks for one; nil means none.
	Certificate *tls.Certificate
	// OldKeyExchange offers the key exchange by RSA as well, without forward secrecy,
	// for servers that know no other.
	OldKeyExchange bool
}

// Ways to read somebody's groups, for Config.GroupsFrom.
const (
	GroupsAuto     = "auto"
	GroupsMemberOf = "memberOf"
	GroupsSearch   = "search"
)

func (c Config) withDefaults() Config {
	setDefault(&c.Timeout, 5*time.Second)
	setDefault(&c.DialTimeout, 3*time.Second)
	setDefault(&c.Lifetime, 10*time.Minute)
	setDefault(&c.SearchConns, 2)
	setDefault(&c.BindConns, 64)
	setDefault(&c.GroupsFrom, GroupsAuto)
	setDefault(&c.MemberUIDFrom, "uid")
	setDefault(&c.TLS.MinVersion, tls.VersionTLS12)
	if c.Logger == nil {
		c.Logger = hclog.NewNullLogger()
	}
	setDefault(&c.CanaryEvery, canaryEvery)
	setDefault(&c.DiscoverEvery, discoverEvery)
	if c.LookupSRV == nil {
		c.LookupSRV = func(ctx context.Context, name string) ([]*net.SRV, error) {
			_, records, err := net.DefaultResolver.LookupSRV(ctx, "", "", name)
			return records, err
		}
	}
	if c.Dial == nil {
		// Keep-alive notices within half a minute that a firewall forgot a connection,
		// before a bind is lost in it.
		dialer := &net.Dialer{
			KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3},
		}
		c.Dial = dialer.DialContext
	}
	return c
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// check returns every mistake at once, each with its remedy.
func (c Config) check() error {
	var errs []error
	add := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if len(c.Servers) > 0 && c.Discover != "" {
		add("servers and discover: only one of them can be given")
	}
	if c.Site != "" && c.Discover == "" {
		add("site: it is looked up in the domain that discover names; give that too")
	}
	if len(c.Servers) == 0 && c.Discover == "" {
		add(`servers: none given; name at least one, such as "ldaps://dc1.example.com"`)
	}
	if _, err := ldap.ParseDN(c.BaseDN); err != nil {
		add("base DN %q: %w; write it as dc=example,dc=com", c.BaseDN, err)
	}
	if c.BindDN != "" && c.BindPassword.Refused() {
		add("bind password: empty for %q; give the service account's password, or leave the bind DN out to ask anonymously",
			c.BindDN)
	}
	if c.BindDN == "" && c.BindPassword != "" {
		add("bind DN: empty, but there is a bind password; name the service account")
	}
	if ways := c.serviceWays(); len(ways) > 1 {
		add("service account: %s: only one of them can be given", strings.Join(ways, ", "))
	}
	if c.Kerberos != nil {
		c.Kerberos.check(add)
	}
	switch c.GroupsFrom {
	case "", GroupsAuto, GroupsMemberOf, GroupsSearch:
	default:
		add("groups from %q: must be auto, memberOf or search", c.GroupsFrom)
	}
	if c.FollowReferrals && len(c.ReferralHosts) == 0 {
		add("referrals: to be followed, but no host is allowed; name those that may get the service account's password")
	}
	if (c.Canary.User == "") != (c.Canary.Group == "") {
		add("canary: it needs both a user and a group")
	}
	for _, dn := range []string{c.Canary.User, c.Canary.Group} {
		if _, err := ldap.ParseDN(dn); err != nil {
			add("canary %q: %w; write a DN", dn, err)
		}
	}
	for _, name := range append([]string{setOr(c.MemberUIDFrom, "uid")}, c.MemberAttributes...) {
		if !attributeName(name) {
			add("members of groups: %q is not an attribute name", name)
		}
	}
	for _, pin := range c.TLS.PinsSHA256 {
		if len(pin) != 32 {
			add("pin %x: has %d bytes; a SHA-256 sum has 32", pin, len(pin))
		}
	}
	if c.Timeout < 0 || c.DialTimeout < 0 || c.Lifetime < 0 || c.ProveEvery < 0 || c.WatchEvery < 0 || c.CanaryEvery < 0 ||
		c.DiscoverEvery < 0 || c.SearchConns < 0 || c.BindConns < 0 {
		add("timeouts and pool sizes: must not be negative; 0 means the default")
	}
	return errors.Join(errs...)
}

// serviceWays names the ways to bind that are given.
func (c Config) serviceWays() (ways []string) {
	for way, given := range map[string]bool{
		"a DN":                       c.BindDN != "",
		"Kerberos":                   c.Kerberos != nil,
		"the service's own identity": c.OwnIdentity,
	} {
		if given {
			ways = append(ways, way)
		}
	}
	slices.Sort(ways)
	return ways
}

// account says in words as whom the gateway searches; empty for nobody.
func (c Config) account() string {
	switch {
	case c.Kerberos != nil:
		return c.Kerberos.Principal + " by GSSAPI"
	case c.OwnIdentity:
		return "the account that this service runs as"
	}
	return c.BindDN
}

// target is one server of the list, parsed.
type target struct {
	url     string // scheme://host:port
	address string // host:port
	host    string
	tls     bool // TLS from the first byte
}

func parseTarget(text string) (target, error) {
	u, err := url.Parse(text)
	if err != nil {
		return target{}, fmt.Errorf(`server %q: not a URL; write it as "ldaps://host": %w`, text, err)
	}
	ports := map[string]string{"ldap": "389", "ldaps": "636"}
	port, known := ports[strings.ToLower(u.Scheme)]
	if !known || u.Hostname() == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return target{}, fmt.Errorf(`server %q: write it as "ldaps://host", "ldap://host" or with ":port"`, text)
	}
	if u.Port() != "" {
		port = u.Port()
	}
	t := target{host: u.Hostname(), tls: strings.EqualFold(u.Scheme, "ldaps")}
	t.address = net.JoinHostPort(t.host, port)
	t.url = strings.ToLower(u.Scheme) + "://" + t.address
	return t, nil
}
