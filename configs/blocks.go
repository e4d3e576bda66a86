package configs

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"net"
	"net/url"
	"runtime"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"
	"github.com/hashicorp/hcl/v2"
)

func (r *reader) cloud(b *cloudBlock) (c Cloud) {
	c.URL = r.cloudURL(b.URL)
	c.Proxy = r.proxyURL(b.Proxy)
	c.RootCAs = r.certificates(b.CAFile)
	c.RotateKeys = r.duration(b.Rotate, 30*24*time.Hour, 0, 365*24*time.Hour)
	return c
}

func (r *reader) cloudURL(e hcl.Expression) *url.URL {
	s := r.required(e, "url", `"https://id.example.com"`)
	u, err := url.Parse(strings.TrimRight(s, "/"))
	switch {
	case s == "":
		return nil
	case err != nil || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.User != nil || u.Fragment != "":
		r.mistake(e, "Not the URL of a cloud", `Write scheme and host only, such as "https://id.example.com".`)
	case u.Scheme == "http" && !loopback(u.Hostname()):
		r.mistake(e, "Unprotected cloud", "Write https://. Plain http is for a loopback address only.")
	case u.Scheme != "https" && u.Scheme != "http":
		r.mistake(e, "Not the URL of a cloud", "The scheme must be https.")
	}
	return u
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (r *reader) proxyURL(e hcl.Expression) *url.URL {
	s := r.str(e, "")
	if s == "" {
		return nil
	}
	u, err := url.Parse(s)
	odd := err != nil || u.Host == "" || u.Fragment != "" || u.RawQuery != "" || strings.Trim(u.Path, "/") != ""
	if odd || u.Scheme != "http" && u.Scheme != "https" {
		r.mistake(e, "Not the URL of a proxy", `Write it as "http://proxy.example.com:3128", and in a user or password `+
			`"%%23" for "#", "%%2F" for "/", "%%3F" for "?", "%%40" for "@" and "%%25" for "%%".`)
	}
	return u
}

func (r *reader) certificates(e hcl.Expression) *x509.CertPool {
	path := r.str(e, "")
	if path == "" {
		return nil
	}
	pem, err := readFile(r.path(path))
	if err != nil {
		r.mistake(e, "Cannot read the certificates", "%v.", err)
		return nil
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		r.mistake(e, "No certificate in the file",
			"%s has no PEM certificate. It must start with -----BEGIN CERTIFICATE-----.", path)
	}
	return pool
}

// certificate reads a certificate and its key, PEM files both; nil without them.
func (r *reader) certificate(certificate, key hcl.Expression) *tls.Certificate {
	at, keyAt := r.str(certificate, ""), r.str(key, "")
	switch {
	case at == "" && keyAt == "":
		return nil
	case at == "":
		r.mistake(key, "A key without its certificate",
			`Name the certificate too: certificate = "/etc/ldap-gateway/client.pem".`)
		return nil
	case keyAt == "":
		r.mistake(certificate, "A certificate without its key", `Name the key too: key = "/etc/ldap-gateway/client.key".`)
		return nil
	}
	chain, err := readFile(r.path(at))
	if err != nil {
		r.mistake(certificate, "Cannot read the certificate", "%v.", err)
		return nil
	}
	private, err := readFile(r.path(keyAt))
	if err != nil {
		r.mistake(key, "Cannot read the key", "%v.", err)
		return nil
	}
	pair, err := tls.X509KeyPair(chain, private)
	if err != nil {
		r.mistake(key, "The certificate and its key do not fit", "Both must be PEM, the key without a password: %v.", err)
		return nil
	}
	return &pair
}

func (r *reader) directory(b *directoryBlock) Directory {
	d := Directory{
		BaseDN:               r.dn(b.BaseDN),
		Vendor:               r.str(b.Vendor, ""),
		AllowClearText:       r.flag(b.AllowClearText),
		FollowReferrals:      r.flag(b.FollowReferrals),
		GroupsFrom:           r.choice(b.GroupsFrom, "auto", "auto", "memberOf", "search"),
		BuiltInPrimaryGroups: r.flag(b.BuiltInGroups),
		PosixPrimaryGroups:   r.flag(b.PosixGroups),
		MemberUIDFrom:        r.str(b.MemberUIDFrom, "uid"),
		MemberAttributes:     r.list(b.MemberAttrs),
		Timeout:              r.duration(b.Timeout, 5*time.Second, 100*time.Millisecond, time.Minute),
		DialTimeout:          r.duration(b.DialTimeout, 3*time.Second, 100*time.Millisecond, time.Minute),
	}
	r.location(b, &d)
	d.ReferralHosts = r.list(b.ReferralHosts)
	if d.FollowReferrals && len(d.ReferralHosts) == 0 {
		r.mistake(b.FollowReferrals, "No host to follow referrals to",
			"Name the hosts that may get the service account's password: referral_hosts = [\"dc1.child.example.com\"].")
	}
	if b.Canary != nil {
		d.CanaryUser = r.entry(b.Canary.User, "user")
		d.CanaryGroup = r.entry(b.Canary.Group, "group")
	}
	if b.Bind != nil {
		r.bind(b.Bind, &d)
	}
	d.TLS = r.tls(b.TLS)
	d.Pool = r.pool(b.Pool)
	return d
}

// bind reads the one way in which the service account binds.
func (r *reader) bind(b *bindBlock, d *Directory) {
	d.OwnIdentity = r.flag(b.OwnIdentity)
	simple := !isNull(b.DN) || !isNull(b.Password)
	switch {
	case b.GSSAPI != nil && (simple || d.OwnIdentity):
		r.mistake(b.GSSAPI.Principal, "Two ways to bind", "Give either gssapi, or dn and password, or own_identity.")
	case d.OwnIdentity && simple:
		r.mistake(b.OwnIdentity, "Two ways to bind", "Give either own_identity, or dn and password.")
	case b.GSSAPI != nil:
		d.GSSAPI = r.gssapi(b.GSSAPI)
	case d.OwnIdentity && runtime.GOOS != "windows":
		r.mistake(b.OwnIdentity, "Only on Windows",
			"Elsewhere a service has no identity in a domain. Give it a key table: gssapi { … }.")
	case !d.OwnIdentity:
		d.BindDN = r.required(b.DN, "dn", `"CN=svc-gateway,DC=example,DC=com"`)
		d.BindPassword = r.secret(b.Password)
	}
}

func (r *reader) gssapi(b *gssapiBlock) *GSSAPI {
	g := &GSSAPI{
		Principal: r.required(b.Principal, "principal", `"svc-gateway@CORP.EXAMPLE.COM"`),
		Keytab:    r.readable(b.Keytab),
		KDCs:      r.list(b.KDC),
		Krb5Conf:  "/etc/krb5.conf",
		Service:   r.str(b.Service, ""),
	}
	if !isNull(b.Krb5Conf) {
		g.Krb5Conf = r.readable(b.Krb5Conf)
	}
	switch name, realm, _ := strings.Cut(g.Principal, "@"); {
	case g.Principal == "":
	case name == "" || strings.Contains(realm, "@") || realm == "" && len(g.KDCs) > 0:
		r.mistake(b.Principal, "Not a principal", `Write it with its realm, as "svc-gateway@CORP.EXAMPLE.COM".`)
	}
	if len(g.KDCs) > 0 && !isNull(b.Krb5Conf) {
		r.mistake(b.KDC, "Two ways to find the KDC", "Give either kdc or krb5_conf.")
	}
	return g
}

// readable returns the path of a file that can be read.
func (r *reader) readable(e hcl.Expression) string {
	path := r.path(r.str(e, ""))
	if _, err := readFile(path); err != nil {
		r.mistake(e, "Cannot read the file", "%v.", err)
	}
	return path
}

func (r *reader) dn(e hcl.Expression) string {
	if isNull(e) {
		r.missingKey(e, "base_dn", `"DC=example,DC=com"`)
	}
	s := r.str(e, "") // empty: all that the server has
	if _, err := ldap.ParseDN(s); s != "" && err != nil {
		r.mistake(e, "Not a DN", `Write a distinguished name such as "DC=example,DC=com".`)
	}
	return s
}

// location reads servers, or the domain in which they are discovered.
func (r *reader) location(b *directoryBlock, d *Directory) {
	d.Discover, d.Site = r.str(b.Discover, ""), r.str(b.Site, "")
	switch {
	case d.Discover == "":
		d.Servers = r.servers(b.Servers)
	case !isNull(b.Servers):
		r.mistake(b.Discover, "Two ways to find the servers", "Give either servers or discover.")
	case strings.ContainsAny(d.Discover, "/: ") || !strings.Contains(strings.Trim(d.Discover, "."), "."):
		r.mistake(b.Discover, "Not a DNS domain",
			`Write the domain whose SRV records name the directory servers, such as "corp.example.com".`)
	}
	if d.Site != "" && d.Discover == "" {
		r.mistake(b.Site, "A site without a domain",
			"The site is looked up in the domain that discover names. Give discover too.")
	}
}

// entry reads the DN of one entry.
func (r *reader) entry(e hcl.Expression, key string) string {
	s := r.required(e, key, `"CN=canary,DC=example,DC=com"`)
	if _, err := ldap.ParseDN(s); s != "" && err != nil {
		r.mistake(e, "Not a DN", `Write a distinguished name such as "CN=canary,DC=example,DC=com".`)
	}
	return s
}

func (r *reader) servers(e hcl.Expression) []string {
	list := r.list(e)
	if isNull(e) || list != nil && len(list) == 0 {
		r.missingKey(e, "servers", `["ldaps://dc1.example.com"]`)
	}
	for _, s := range list {
		u, err := url.Parse(s)
		odd := err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != ""
		if odd || u.Scheme != "ldaps" && u.Scheme != "ldap" || u.Path != "" && u.Path != "/" {
			r.mistake(e, "Not the URL of a directory server",
				`%q: write it as "ldaps://dc1.example.com" or, for StartTLS, "ldap://dc1.example.com".`, shownAddress(s))
		}
	}
	return list
}

// secret reads a value that must not be empty.
func (r *reader) secret(e hcl.Expression) Secret {
	if isNull(e) {
		r.missingKey(e, "password", `file("/etc/ldap-gateway/bind.password")`)
	}
	var s string
	if r.value(e, &s) && s == "" {
		r.mistake(e, "Empty password",
			"A directory takes an empty password for an anonymous bind. Leave the bind block out to bind anonymously.")
	}
	if exact, read := r.exact[s]; read {
		s = exact
	}
	return Secret(s)
}

func (r *reader) tls(b *tlsBlock) TLS {
	if b == nil {
		return TLS{MinVersion: tls.VersionTLS12}
	}
	t := TLS{
		RootCAs:        r.certificates(b.CAFile),
		ServerName:     r.str(b.ServerName, ""),
		MinVersion:     tls.VersionTLS12,
		Certificate:    r.certificate(b.Certificate, b.Key),
		OldKeyExchange: r.flag(b.OldKeyExchange),
	}
	if r.choice(b.MinVersion, "1.2", "1.2", "1.3") == "1.3" {
		t.MinVersion = tls.VersionTLS13
	}
	for _, p := range r.list(b.Pin) {
		pin, err := hex.DecodeString(strings.ReplaceAll(strings.TrimPrefix(strings.ToLower(p), "sha256:"), ":", ""))
		if err != nil || len(pin) != 32 {
			r.mistake(b.Pin, "Not a pin",
				`Write the SHA-256 of the certificate in hexadecimal, as "sha256:" and 64 digits. "ldap-gateway check" shows it.`)
		}
		t.Pins = append(t.Pins, pin)
	}
	return t
}

func (r *reader) pool(b *poolBlock) Pool {
	if b == nil {
		b = &poolBlock{}
	}
	return Pool{
		Search:   r.number(b.Search, 2, 1, 64),
		Bind:     r.number(b.Bind, 64, 1, 1024),
		Lifetime: r.duration(b.Lifetime, 10*time.Minute, 10*time.Second, 14*time.Minute),
	}
}

func (r *reader) policy(b *policyBlock, baseDN string) Policy {
	if b == nil {
		b = &policyBlock{}
	}
	if b.Groups == nil {
		b.Groups = &groupPolicyBlock{}
	}
	if b.WrongPasswords == nil {
		b.WrongPasswords = &wrongPasswordsBlock{}
	}
	return Policy{
		SearchBases:      r.dns(b.SearchBases, baseDN),
		Attributes:       r.list(b.Attributes),
		FilterAttributes: r.list(b.FilterAttributes),
		Observe:          r.choice(b.Mode, "enforce", "enforce", "observe") == "observe",
		PasswordChanges:  r.flag(b.PasswordChanges),
		Explain:          r.flag(b.Explain),
		SignOnsPerMinute: r.number(b.SignOnsPerMinute, 30_000, 1, 1_000_000),
		SignOnsPerPerson: r.number(b.SignOnsPerPerson, 30, 1, 1_000_000),

		UserTypeChangesPerHour: r.number(b.TypeChanges, 20, 1, 1_000_000),

		WrongPasswords: WrongPasswords{
			Most:   r.number(b.WrongPasswords.Most, 4, 0, 1000),
			Within: r.duration(b.WrongPasswords.Within, 15*time.Minute, time.Minute, 24*time.Hour),
		},
		Groups: GroupPolicy{
			SearchBases: r.dns(b.Groups.SearchBases, baseDN),
			Include:     r.list(b.Groups.Include),
			Exclude:     r.list(b.Groups.Exclude),
			Max:         r.number(b.Groups.Max, 5000, 1, 100_000),
		},
	}
}

func (r *reader) dns(e hcl.Expression, fallback string) []string {
	list := r.list(e)
	if len(list) == 0 {
		return []string{fallback}
	}
	for _, s := range list {
		if _, err := ldap.ParseDN(s); err != nil {
			r.mistake(e, "Not a DN", `%q: write distinguished names such as "OU=People,DC=example,DC=com".`, s)
		}
	}
	return list
}

func (r *reader) audit(b *auditBlock) Audit {
	if b == nil {
		b = &auditBlock{}
	}
	a := Audit{
		MaxSize: int64(r.number(b.MaxSizeMB, 10, 1, 10_000)) << 20,
		Keep:    r.number(b.Keep, 5, 0, 1000),
	}
	if b.Path != nil && !isNull(b.Path) {
		if path := r.str(b.Path, ""); path != "" {
			a.Path = r.path(path)
		}
		a.Off = a.Path == ""
	}
	return a
}

func (r *reader) metrics(b *metricsBlock) Metrics {
	if b == nil {
		return Metrics{}
	}
	at := r.required(b.Listen, "listen", `"127.0.0.1:9389"`)
	host, port, err := net.SplitHostPort(at)
	if at != "" && (err != nil || port == "" || !loopback(host)) {
		r.mistake(b.Listen, "Not a loopback address", `Write it as "127.0.0.1:9389": what is served has no password.`)
	}
	return Metrics{Listen: at}
}

func (r *reader) log(b *logBlock) Log {
	if b == nil {
		b = &logBlock{}
	}
	return Log{
		Level: r.choice(b.Level, "info", "trace", "debug", "info", "warn", "error"),
		JSON:  r.choice(b.Format, "text", "text", "json") == "json",
	}
}
