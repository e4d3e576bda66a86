package configs

import (
	"crypto/tls"
	"crypto/x509"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// Gateway is a whole gateway.hcl, checked and with its defaults.
type Gateway struct {
	Path      string // of the file
	Cloud     Cloud
	Directory Directory
	Policy    Policy
	Audit     Audit
	Metrics   Metrics
	Log       Log

	read []string // what functions of the file read
}

// Secrets returns what env(), file() and credential() read, wherever in the file it is
// used: nobody who writes about the file is to show it.
func (g *Gateway) Secrets() []Secret {
	out := make([]Secret, len(g.read))
	for i, s := range g.read {
		out[i] = Secret(s)
	}
	return out
}

// Cloud says where the other end of the link is.
type Cloud struct {
	URL     *url.URL       // https, or http to a loopback address; no path, no query
	Proxy   *url.URL       // nil: as HTTPS_PROXY and NO_PROXY say
	RootCAs *x509.CertPool // nil: the system's
	// RotateKeys is after how long the instance changes its keys; default 30 days, 0: never.
	RotateKeys time.Duration
}

// Directory says which directory is joined and how.
type Directory struct {
	Servers         []string // ldaps:// or ldap:// URLs, in order of preference
	Discover        string   // DNS domain whose SRV records name the servers, instead of Servers
	Site            string   // Active Directory site whose servers come first; only with Discover
	BaseDN          string
	Vendor          string   // empty: as the root DSE tells
	BindDN          string   // of the service account; empty: GSSAPI, OwnIdentity, or else anonymous
	BindPassword    Secret   // of the service account
	GSSAPI          *GSSAPI  // the service account by Kerberos; nil: not so
	OwnIdentity     bool     // the account that the Windows service runs as
	AllowClearText  bool     // ldap:// without StartTLS; default false
	FollowReferrals bool     // of group searches, to ReferralHosts; default false
	ReferralHosts   []string // "host" or "host:port"
	GroupsFrom      string   // "auto" (default), "memberOf" or "search"
	// BuiltInPrimaryGroups counts Active Directory's Domain Users, Guests and Computers
	// as groups; default false.
	BuiltInPrimaryGroups bool
	// PosixPrimaryGroups counts the posixGroup with a person's gidNumber; default false.
	PosixPrimaryGroups bool
	MemberUIDFrom      string        // attribute of people that memberUid holds; default uid
	MemberAttributes   []string      // of groups, with DNs of members, besides member and uniqueMember
	Timeout            time.Duration // of one operation; default 5 s
	DialTimeout        time.Duration // of connecting, TLS and service bind together; default 3 s
	TLS                TLS
	Pool               Pool
	CanaryUser         string // DN of somebody who is a direct member of CanaryGroup; empty: no canary
	CanaryGroup        string // DN
}

// GSSAPI is a service account with a key table.
type GSSAPI struct {
	Principal string   // "name@REALM"
	Keytab    string   // path
	KDCs      []string // "host" or "host:port"; none: as Krb5Conf says
	Krb5Conf  string   // path; default /etc/krb5.conf
	Service   string   // principal of the directory servers; empty: ldap/HOST of each
}

// TLS says whom to trust as a directory server.
type TLS struct {
	RootCAs    *x509.CertPool // nil: the system's
	Pins       [][]byte       // SHA-256 of certificates that are trusted as they are
	ServerName string         // empty: the host of the URL
	MinVersion uint16         // default TLS 1.2
	// Certificate is shown to a server that asks for one; nil: none is.
	Certificate *tls.Certificate
	// OldKeyExchange lets a server do that knows the key exchange by RSA alone: whoever
	// gets its key later reads what was recorded before.
	OldKeyExchange bool
}

// Pool bounds the connections to a directory server.
type Pool struct {
	Search   int           // shared by searches; default 2
	Bind     int           // one user bind at a time on each; default 64
	Lifetime time.Duration // of a connection; default 10 min, below Active Directory's idle limit of 15
}

// Policy bounds what the cloud may ask. The zero value of a list allows what
// its comment says.
type Policy struct {
	// Observe is mode = "observe": passwords are checked, and of the rest only how many
	// groups would be pushed is told. Default "enforce".
	Observe          bool
	SearchBases      []string // user types may search at or below these; default: the directory's base_dn
	Attributes       []string // that may leave besides the usual ones
	FilterAttributes []string // that a filter may name besides the usual ones
	Groups           GroupPolicy
	SignOnsPerMinute int // in all; default 30,000
	SignOnsPerPerson int // in a minute; default 30
	// UserTypeChangesPerHour is how many changed user types are taken; default 20.
	UserTypeChangesPerHour int
	WrongPasswords         WrongPasswords
	// administrators of the cloud may ask what a sign-on of a person would bring, without a password; default false
	Explain         bool
	PasswordChanges bool // people may change their passwords, where the user type lets them too; default false
}

// WrongPasswords keeps the gateway from locking people out of the directory:
// after Most wrong passwords of one person within Within, it asks the directory
// no more about that person until the time is over. Choose less than the
// directory's own threshold. The last is for a browser that the cloud knows the person by.
type WrongPasswords struct {
	Most   int           // default 4; 0: no limit
	Within time.Duration // default 15 min
}

// GroupPolicy bounds which groups may leave.
type GroupPolicy struct {
	SearchBases []string // default: the directory's base_dn
	Include     []string // patterns on the DN with *; none: all
	Exclude     []string // patterns on the DN with *, after Include
	Max         int      // groups of one person; default 5000; more are cut and the answer is partial
}

// Audit says where each request of the cloud is written down.
type Audit struct {
	Path    string // empty: audit.jsonl in the state folder
	Off     bool   // path = "": nowhere
	MaxSize int64  // of one file, in bytes; default 10 MB
	Keep    int    // older files; default 5
}

// Metrics says where /live, /ready and /metrics are served.
type Metrics struct {
	Listen string // a loopback address with port; empty: nowhere
}

// Log says how much is logged and in what form, on standard error.
type Log struct {
	Level string // "trace", "debug", "info" (default), "warn" or "error"
	JSON  bool   // format = "json"; default text
}

// DefaultPath returns where gateway.hcl is when nobody says otherwise.
func DefaultPath(goos string, getenv func(string) string) string {
	return filepath.Join(folder(goos, getenv, "/etc"), "gateway.hcl")
}

// DefaultState returns where the state folder is when nobody says otherwise.
func DefaultState(goos string, getenv func(string) string) string {
	if goos == "windows" {
		return filepath.Join(folder(goos, getenv, ""), "state")
	}
	return folder(goos, getenv, "/var/lib")
}

// SystemPath is DefaultPath on this machine.
func SystemPath() string { return DefaultPath(runtime.GOOS, os.Getenv) }

// SystemState is DefaultState on this machine.
func SystemState() string { return DefaultState(runtime.GOOS, os.Getenv) }

// LogPath is where the service with a state folder logs on Windows; elsewhere its
// manager keeps the log.
func LogPath(state string) string { return filepath.Join(state, "ldap-gateway.log") }

func folder(goos string, getenv func(string) string, unix string) string {
	if goos != "windows" {
		return filepath.Join(unix, "ldap-gateway")
	}
	data := getenv("ProgramData")
	if data == "" {
		data = `C:\ProgramData`
	}
	return filepath.Join(data, "ldap-gateway")
}
