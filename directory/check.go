package directory

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// CheckState is the outcome of one row of Check.
type CheckState uint8

// What a row can say; a row that depends on a failed one is NotTried.
const (
	OK CheckState = iota + 1
	Warning
	Failed
	NotTried
)

// String returns ok, warning, failed or not tried.
func (s CheckState) String() string {
	switch s {
	case OK:
		return "ok"
	case Warning:
		return "warning"
	case Failed:
		return "failed"
	case NotTried:
		return "not tried"
	}
	return fmt.Sprintf("CheckState(%d)", uint8(s))
}

// Check is one row of what an administrator is shown.
type Check struct {
	Name string // "discover", "DNS", "TCP", "TLS", "service bind", "base", "clock", "foreign members", "memberOf",
	// "groups" or "canary"
	Target string // URL of the server, or what the row is about
	State  CheckState
	Detail string
	Remedy string // what to do; for TLS it ends with the line for gateway.hcl
}

// expirySoon is the longest time before the end of a certificate that still works at which
// it becomes a warning; a sixth of its life when that is shorter, since short ones are
// renewed late by rule.
const expirySoon = 30 * 24 * time.Hour

// endsSoon tells whether a certificate should have been renewed by now.
func endsSoon(c *x509.Certificate) bool {
	return time.Until(c.NotAfter) < min(expirySoon, max(0, c.NotAfter.Sub(c.NotBefore)/6))
}

// Check tries every server from the ground up, on connections of its own, and
// returns one row for each step, in order. It binds the service account once for
// each server that it can reach, and stops doing so once it was refused.
func (c *Client) Check(ctx context.Context) []Check {
	var rows []Check
	if c.cfg.Discover != "" {
		rows = append(rows, c.checkDiscovery(ctx))
	}
	refused := false
	for _, s := range c.list() {
		k := &checker{server: s, ctx: ctx}
		k.row("DNS", k.resolve)
		k.row("TCP", k.connect)
		k.row("TLS", k.handshake)
		k.stop = k.stop || refused
		k.row("service bind", k.bind)
		k.row("base", k.base)
		k.adRows()
		refused = refused || k.refused
		k.close()
		rows = append(rows, k.rows...)
	}
	return append(rows, c.checkPeople(ctx, rows)...)
}

// checker goes down the rows of one server.
type checker struct {
	server  *server
	ctx     context.Context
	rows    []Check
	stop    bool // a row failed; the rest is not tried
	refused bool // the service account was
	raw     net.Conn
	chain   []*x509.Certificate // that the server showed
	wanted  bool                // the server asked for a certificate, and got none
	link    *link
}

func (k *checker) row(name string, try func(context.Context) Check) {
	row := Check{State: NotTried}
	if !k.stop {
		ctx, cancel := context.WithTimeout(k.ctx, k.server.client.cfg.DialTimeout)
		row = try(ctx)
		cancel()
		k.stop = row.State == Failed
	}
	row.Name, row.Target = name, k.server.url
	k.rows = append(k.rows, row)
}

func (k *checker) close() {
	if k.link != nil {
		k.link.kill()
	}
	if k.raw != nil {
		_ = k.raw.Close()
	}
}

// failed keeps a result's own remedy out of the detail: it has a place of its own.
func failed(err error, remedy string) Check {
	var result *ResultError
	var ticket *KerberosError
	if errors.As(err, &result) {
		bare := *result
		bare.Remedy = ""
		err = &bare
	} else if errors.As(err, &ticket) {
		bare := *ticket
		bare.Remedy = ""
		err = &bare
	}
	return Check{State: Failed, Detail: err.Error(), Remedy: remedy}
}

func (k *checker) resolve(ctx context.Context) Check {
	if net.ParseIP(k.server.host) != nil {
		return Check{State: OK, Detail: "an address, no name to look up"}
	}
	found, err := net.DefaultResolver.LookupHost(ctx, k.server.host)
	if err != nil {
		return failed(err, "correct the server's name, or this machine's DNS")
	}
	return Check{State: OK, Detail: strings.Join(found, ", ")}
}

func (k *checker) connect(ctx context.Context) Check {
	start := time.Now()
	raw, err := k.server.client.cfg.Dial(ctx, "tcp", k.server.address)
	if err != nil {
		return failed(err, "open TCP to "+k.server.address+" in the firewalls between, and see that the server runs")
	}
	k.raw = raw
	return Check{State: OK, Detail: fmt.Sprintf("connected in %s", time.Since(start).Round(time.Millisecond))}
}

// handshake looks at the certificates without believing them, and then judges them
// as a real connection would, so that the row can name what was found.
func (k *checker) handshake(ctx context.Context) Check {
	cfg := k.server.client.cfg
	if !k.server.target.tls && cfg.AllowClearText {
		return Check{State: Warning, Detail: "clear text: everybody between can read passwords", Remedy: "use ldaps://"}
	}
	sock := &socket{Conn: k.raw, timeout: cfg.Timeout}
	if !k.server.target.tls {
		if err := k.server.startTLS(ctx, sock); err != nil {
			return failed(err, "use ldaps:// if the server has no StartTLS")
		}
	}
	look := cfg.TLS.config(k.server.host)
	judge := look.Clone()
	look.InsecureSkipVerify = true
	look.VerifyConnection = func(state tls.ConnectionState) error {
		k.chain = state.PeerCertificates
		return judgeChain(judge, state)
	}
	if len(look.Certificates) == 0 {
		look.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			k.wanted = true
			return &tls.Certificate{}, nil
		}
	}
	if err := tls.Client(sock, look).HandshakeContext(ctx); err != nil {
		remedy := handshakeRemedy(err, k.wanted)
		switch {
		case remedy == "" && len(k.chain) == 0 && k.oldKeyExchangeHelps(ctx, look):
			remedy = oldKeyExchangeRemedy // some servers hang up without a word
		case remedy == "":
			remedy = tlsRemedy(err, k.chain, look.ServerName)
		}
		return failed(err, remedy)
	}
	return certificateRow(k.chain, look.ServerName)
}

// oldKeyExchangeHelps tries the handshake once more, with more on offer.
func (k *checker) oldKeyExchangeHelps(ctx context.Context, look *tls.Config) bool {
	cfg := k.server.client.cfg
	raw, err := cfg.Dial(ctx, "tcp", k.server.address)
	if err != nil || cfg.TLS.OldKeyExchange {
		return false
	}
	defer func() { _ = raw.Close() }()
	sock := &socket{Conn: raw, timeout: cfg.Timeout}
	if !k.server.target.tls && k.server.startTLS(ctx, sock) != nil {
		return false
	}
	more := look.Clone()
	more.CipherSuites, more.VerifyConnection = withOldKeyExchange(), nil
	return tls.Client(sock, more).HandshakeContext(ctx) == nil
}

// judgeChain repeats what crypto/tls does when it is not told to skip it.
func judgeChain(cfg *tls.Config, state tls.ConnectionState) error {
	if cfg.VerifyConnection != nil {
		return cfg.VerifyConnection(state)
	}
	opts := x509.VerifyOptions{DNSName: cfg.ServerName, Roots: cfg.RootCAs, Intermediates: x509.NewCertPool()}
	for _, cert := range state.PeerCertificates[1:] {
		opts.Intermediates.AddCert(cert)
	}
	_, err := state.PeerCertificates[0].Verify(opts)
	return err
}

func certificateRow(chain []*x509.Certificate, name string) Check {
	left := time.Until(chain[0].NotAfter)
	row := Check{
		State:  OK,
		Detail: fmt.Sprintf("certificate for %s, wanted %s, %d days left", namesOf(chain[0]), name, int(left.Hours()/24)),
	}
	if endsSoon(chain[0]) {
		row.State, row.Remedy = Warning, "renew the server's certificate"
	}
	return row
}

// brokenSignature returns by which algorithm that nobody believes any more a chain is
// signed; 0 when by none. To crypto/x509 its authority is then one that is not known.
func brokenSignature(chain []*x509.Certificate) x509.SignatureAlgorithm {
	for _, c := range chain {
		switch c.SignatureAlgorithm {
		case x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA, x509.DSAWithSHA1, x509.ECDSAWithSHA1:
			if !bytes.Equal(c.RawIssuer, c.RawSubject) { // of a root nobody looks at it
				return c.SignatureAlgorithm
			}
		}
	}
	return 0
}

// tlsRemedy ends with the exact line for gateway.hcl where one helps.
func tlsRemedy(err error, chain []*x509.Certificate, name string) string {
	if len(chain) == 0 {
		return "see that this port speaks TLS, with a version that is still accepted"
	}
	pin := fmt.Sprintf("pin = [\"sha256:%x\"]", sha256.Sum256(chain[0].Raw))
	if serial := chain[0].SerialNumber; serial.Sign() < 0 {
		pin = fmt.Sprintf("%s (its serial number is negative, as in certificates that Samba makes by itself)", pin)
	}
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	broken := brokenSignature(chain)
	switch {
	case errors.As(err, &authority) && broken != 0:
		return fmt.Sprintf("its authority signed by %s, which is broken: have the certificate made anew, or trust "+
			"exactly this one in tls: %s", broken, pin)
	case errors.Is(err, errPin):
		return "if the certificate was renewed on purpose, put into tls: " + pin
	case errors.As(err, &authority):
		return fmt.Sprintf(
			"certificate by %q: put the authority into tls: ca_file = \"/etc/ldap-gateway/ca.pem\", or only this "+
				"certificate: %s",
			chain[0].Issuer,
			pin,
		)
	case errors.As(err, &host):
		remedy := fmt.Sprintf("certificate for %s, wanted %s: name the server as the certificate does", namesOf(chain[0]),
			name)
		if len(chain[0].DNSNames) > 0 {
			remedy += fmt.Sprintf(", or put into tls: server_name = %q", chain[0].DNSNames[0])
		}
		return remedy + ", or: " + pin
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fmt.Sprintf("valid from %s to %s: renew the certificate, or set this machine's clock",
			chain[0].NotBefore.Format(time.DateOnly), chain[0].NotAfter.Format(time.DateOnly))
	}
	return "have the certificate made anew, or trust exactly this one in tls: " + pin
}

func namesOf(cert *x509.Certificate) string {
	names := append([]string(nil), cert.DNSNames...)
	for _, ip := range cert.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) == 0 {
		return fmt.Sprintf("only the common name %q, which is not looked at (RFC 6125)", cert.Subject.CommonName)
	}
	return strings.Join(names, ", ")
}

func (k *checker) bind(ctx context.Context) Check {
	if k.server.client.ctx.Err() != nil {
		return failed(ErrClosed, "")
	}
	l, err := k.server.connectService(ctx)
	if err != nil {
		k.refused = refusedBind(err)
		return failed(err, k.bindRemedy(err))
	}
	k.link = l
	account := k.server.client.cfg.account()
	if account == "" {
		return Check{
			State:  Warning,
			Detail: "anonymous, " + k.server.dse.Load().product(),
			Remedy: "give the gateway a service account that may read users and groups",
		}
	}
	return Check{State: OK, Detail: "as " + account + ", " + k.server.dse.Load().product()}
}

func (k *checker) bindRemedy(err error) string {
	var result *ResultError
	var ticket *KerberosError
	_, answered := answered(err)
	switch {
	case errors.As(err, &result):
		return result.Remedy
	case errors.As(err, &ticket):
		return ticket.Remedy
	case !answered && k.wanted: // with TLS 1.3 it says so after the handshake
		return clientCertificateRemedy
	}
	return "see the server's log"
}

func (k *checker) base(ctx context.Context) Check {
	base := k.server.client.cfg.BaseDN
	request := ldap.NewSearchRequest(
		base,
		ldap.ScopeBaseObject,
		ldap.NeverDerefAliases,
		1,
		0,
		false,
		rootDSEFilter,
		[]string{"1.1"},
		nil,
	)
	found := k.search(ctx, request)
	if err := found.typed(fmt.Sprintf("read %q", base)); err != nil {
		return failed(err, k.baseRemedy())
	}
	if len(found.result.Entries) == 0 {
		return failed(fmt.Errorf("%q cannot be read", base), k.baseRemedy())
	}
	return Check{State: OK, Detail: base}
}

func (k *checker) baseRemedy() string {
	remedy := "correct base_dn, or give the service account the right to read it"
	if dse := k.server.dse.Load(); dse != nil && len(dse.contexts) > 0 {
		remedy += fmt.Sprintf("; the server holds %q", dse.contexts)
	}
	return remedy
}
