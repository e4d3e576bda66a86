package directory

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"
	"github.com/go-ldap/ldap/v3/gssapi"
	"github.com/jcmturner/gokrb5/v8/client"
	"github.com/jcmturner/gokrb5/v8/config"
	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/jcmturner/gokrb5/v8/krberror"
)

// Kerberos is a service account that binds by SASL GSSAPI (RFC 4752). Key table and
// krb5.conf are read, and tickets got, afresh for each connection: a key that was
// changed is used from the next one on, and no ticket has to be renewed.
type Kerberos struct {
	Principal string   // "name@REALM", or "name" of krb5.conf's default realm
	Keytab    string   // path of the key table with its key
	ConfFile  string   // path of krb5.conf; not looked at when there are KDCs
	KDCs      []string // "host" or "host:port", all of the principal's realm
	// Service is the principal of the directory servers; empty means ldap/HOST, with
	// the host of each server's URL.
	Service string
}

// KerberosError is a service bind that came no further than the KDC.
type KerberosError struct {
	Text    string
	Remedy  string
	Refused bool // the KDC refused the service account
}

// Error returns the text and the remedy.
func (e *KerberosError) Error() string { return withText("Kerberos: "+e.Text, e.Remedy) }

func (k *Kerberos) service(host string) string {
	if k.Service != "" {
		return k.Service
	}
	return "ldap/" + host
}

func (k *Kerberos) check(add func(format string, args ...any)) {
	if k.Principal == "" || k.Keytab == "" {
		add("Kerberos: it needs a principal and the key table with its key")
	}
	if len(k.KDCs) > 0 && !strings.Contains(k.Principal, "@") {
		add(`Kerberos: principal %q: with KDCs named, write it with its realm, as "svc-gateway@CORP.EXAMPLE.COM"`,
			k.Principal)
	}
	if len(k.KDCs) == 0 && k.ConfFile == "" {
		add("Kerberos: neither KDCs nor a krb5.conf; give one of them")
	}
}

// kerberosBind binds the service account with a ticket of its own.
func (l *link) kerberosBind(ctx context.Context) error {
	k := l.server.client.cfg.Kerberos
	service := k.service(l.server.host)
	c, err := l.server.ticket(ctx, k, service)
	if err != nil {
		return err
	}
	defer c.Destroy()
	return l.saslBind(checksumFirst{&gssapi.Client{Client: c}}, service)
}

// saslBind negotiates no security layer: that is what TLS is for.
func (l *link) saslBind(c ldap.GSSAPIClient, service string) error {
	err := l.ldap.GSSAPIBind(c, service, "")
	if e, ok := answered(err); ok {
		out := serviceBindError(l.server.url, e)
		if remedy, ok := saslRemedies[e.ResultCode]; ok {
			out.Remedy = remedy
		}
		return out
	}
	if err != nil {
		return fmt.Errorf("service bind at %s by GSSAPI as %s: %w", l.server.url, service, err)
	}
	return nil
}

// saslRemedies by result code, where a bind by GSSAPI needs another than a simple one.
var saslRemedies = map[uint16]string{
	ldap.LDAPResultStrongAuthRequired: "the server wants GSSAPI binds signed or sealed by Kerberos itself, also under " +
		"TLS, which the gateway does not do: " +
		"let it take them over TLS (in Samba: ldap server require strong auth = allow_sasl_over_tls), or bind with dn and " +
		"password",
	ldap.LDAPResultAuthMethodNotSupported: "the server does not offer GSSAPI: set it up there, or bind with dn and " +
		"password",
}

// ticket logs in at the KDC and gets a ticket for the service. gokrb5 knows no context;
// it gives up by itself after five seconds with each KDC.
func (s *server) ticket(ctx context.Context, k *Kerberos, service string) (*client.Client, error) {
	if !s.client.life.begin() {
		return nil, ErrClosed
	}
	type got struct {
		client *client.Client
		err    error
	}
	done := make(chan got)
	go func() {
		defer s.client.life.end()
		c, err := k.ticket(service)
		select {
		case done <- got{c, err}:
		case <-ctx.Done():
			if c != nil {
				c.Destroy()
			}
		}
	}()
	select {
	case g := <-done:
		return g.client, g.err
	case <-ctx.Done():
		return nil, fmt.Errorf("ticket for %s: %w", service, ctx.Err())
	}
}

func (k *Kerberos) ticket(service string) (*client.Client, error) {
	conf, err := k.config()
	if err != nil {
		return nil, &KerberosError{Text: err.Error(), Remedy: "correct krb5_conf, or name the KDCs by kdc"}
	}
	keys, err := keytab.Load(k.Keytab)
	if err != nil {
		return nil, &KerberosError{
			Text:   fmt.Sprintf("key table %s: %v", k.Keytab, err),
			Remedy: "give the gateway a key table that it may read",
		}
	}
	name, realm := splitPrincipal(k.Principal)
	if realm == "" {
		realm = conf.LibDefaults.DefaultRealm
	}
	c := client.NewWithKeytab(name, realm, keys, conf, client.DisablePAFXFAST(true))
	if err := c.Login(); err != nil {
		return nil, loginError(k, err)
	}
	if _, _, err := c.GetServiceTicket(service); err != nil {
		c.Destroy()
		return nil, &KerberosError{
			Text: err.Error(),
			Remedy: fmt.Sprintf("the KDC gives no ticket for %s: name the servers as Kerberos does, or set service_principal",
				service),
		}
	}
	return c, nil
}

func loginError(k *Kerberos, err error) error {
	out := &KerberosError{
		Text:   err.Error(),
		Remedy: "no KDC answers: correct kdc or krb5_conf, and open port 88 to the KDCs, TCP and UDP",
	}
	var typed krberror.Krberror
	if errors.As(err, &typed) && typed.RootCause != krberror.NetworkingError {
		out.Refused = true
		out.Remedy = fmt.Sprintf(
			"the KDC does not take the key of %s: see that the account is enabled and not expired, that %s has its newest "+
				"key (\"kinit -kt\" tries the same), and that this machine's clock is right",
			k.Principal,
			k.Keytab,
		)
	}
	return out
}

// splitPrincipal returns an empty realm when there is none.
func splitPrincipal(p string) (name, realm string) {
	if at := strings.LastIndex(p, "@"); at >= 0 {
		return p[:at], p[at+1:]
	}
	return p, ""
}

// config reads krb5.conf, or makes one for the KDCs.
func (k *Kerberos) config() (*config.Config, error) {
	var conf *config.Config
	var err error
	if len(k.KDCs) > 0 {
		_, realm := splitPrincipal(k.Principal)
		conf, err = config.NewFromString(confFor(realm, k.KDCs))
	} else {
		conf, err = config.Load(k.ConfFile)
	}
	var unsupported config.UnsupportedDirective
	if err != nil && !errors.As(err, &unsupported) { // what it does not know is for others
		return nil, fmt.Errorf("krb5.conf: %w", err)
	}
	d := &conf.LibDefaults
	for _, list := range []*[]int32{&d.DefaultTktEnctypeIDs, &d.DefaultTGSEnctypeIDs, &d.PermittedEnctypeIDs} {
		// gokrb5 makes keys of the wrong length for this one.
		*list = slices.DeleteFunc(*list, func(id int32) bool { return id == etypeID.AES256_CTS_HMAC_SHA384_192 })
	}
	return conf, nil
}

func confFor(realm string, kdcs []string) string {
	var b strings.Builder
	fmt.Fprintf(
		&b,
		"[libdefaults]\n default_realm = %s\n dns_lookup_kdc = false\n dns_canonicalize_hostname = false\n rdns = false\n "+
			"udp_preference_limit = 1\n[realms]\n %[1]s = {\n",
		realm,
	)
	for _, kdc := range kdcs {
		fmt.Fprintf(&b, "  kdc = %s\n", kdc)
	}
	b.WriteString(" }\n")
	return b.String()
}

// checksumFirst undoes the rotation of the server's last token (RFC 4121, 4.2.5) before
// go-ldap reads it. go-ldap takes "checksum, payload" for granted, as Windows and
// Heimdal send it; MIT, and so OpenLDAP and 389, send the two in the other order.
type checksumFirst struct{ *gssapi.Client }

// NegotiateSaslAuth implements ldap.GSSAPIClient.
func (c checksumFirst) NegotiateSaslAuth(token []byte, authzid string) ([]byte, error) {
	return c.Client.NegotiateSaslAuth(unrotated(token), authzid)
}

func unrotated(token []byte) []byte {
	const header = 16
	if len(token) <= header {
		return token
	}
	checksum, rotation := int(binary.BigEndian.Uint16(token[4:6])), int(binary.BigEndian.Uint16(token[6:8]))
	body := token[header:]
	payload := len(body) - checksum
	if payload < 0 {
		return token
	}
	rotation %= len(body)
	inOrder := slices.Concat(body[rotation:], body[:rotation]) // payload, checksum
	return slices.Concat(token[:header], inOrder[payload:], inOrder[:payload])
}
