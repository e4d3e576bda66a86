package cloudlink

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/coder/websocket"

	"ldap-gateway/cloudlink/wire"
)

// Credential is what an instance proves itself with.
type Credential struct {
	Instance string
	Key      ed25519.PrivateKey
	Epoch    func() uint64            // that was kept last; nil: none is ever kept
	Keep     func(epoch uint64) error // keeps a new one, before anything is served
}

func (c Credential) epoch() uint64 {
	if c.Epoch == nil {
		return 0
	}
	return c.Epoch()
}

// NewHTTPClient returns the client that everything outbound goes through.
// Without a proxy, HTTPS_PROXY and NO_PROXY say which is used; without roots,
// the system's certificates are trusted. Redirects are not followed.
func NewHTTPClient(proxy *url.URL, roots *x509.CertPool) *http.Client {
	through := http.ProxyFromEnvironment
	if proxy != nil {
		through = http.ProxyURL(proxy)
	}
	return &http.Client{
		Transport: &http.Transport{
			Proxy: through,
			OnProxyConnectResponse: func(_ context.Context, proxy *url.URL, _ *http.Request, answer *http.Response) error {
				if answer.StatusCode == http.StatusOK {
					return nil
				}
				return &ProxyError{Proxy: proxy.Host, Status: answer.StatusCode}
			},
			DialContext:           (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
			TLSClientConfig:       &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout:   10 * time.Second,
			ResponseHeaderTimeout: 15 * time.Second,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// GetStatus asks the cloud at base who it is and what time it has there.
func GetStatus(ctx context.Context, client *http.Client, base *url.URL) (wire.Status, error) {
	var s wire.Status
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base.JoinPath(wire.PathStatus).String(), nil)
	if err != nil {
		return s, err
	}
	err = exchange(client, req, &s)
	if err == nil && s.Service != "ldap-cloud" {
		err = fmt.Errorf("%s answers, but it is no ldap-cloud", base)
	}
	return s, err
}

// Pair gives the one-time code for an instance of its own. A refusal is a
// *wire.Refusal, whose message says what to do.
func Pair(ctx context.Context, client *http.Client, base *url.URL, r wire.PairRequest) (a wire.PairAnswer, err error) {
	err = post(ctx, client, base.JoinPath(wire.PathPair), r, &a)
	if err == nil && a.Instance == "" {
		err = notACloud(base)
	}
	return a, err
}

// notACloud is for an answer that lacks what it is for: something between made it up.
func notACloud(base *url.URL) error {
	return fmt.Errorf("%s answers, but not as an ldap-cloud does: check cloud.url and what is between", base.Host)
}

// Show asks for a code to be shown, which an administrator approves.
func Show(ctx context.Context, client *http.Client, base *url.URL, r wire.PairRequest) (t wire.PairTicket, err error) {
	err = post(ctx, client, base.JoinPath(wire.PathShow), r, &t)
	if err == nil && (t.Code == "" || t.Ticket == "") {
		err = notACloud(base)
	}
	return t, err
}

// mostPause is the longest time between two questions of Await, whatever a cloud says.
const mostPause = time.Minute

// Await returns when somebody has decided on a code that is shown. A refusal, as
// when the code has expired or was denied, is a *wire.Refusal.
func Await(ctx context.Context, client *http.Client, base *url.URL, t wire.PairTicket) (a wire.PairAnswer, err error) {
	for {
		err := post(ctx, client, base.JoinPath(wire.PathAwait), wire.PairAwait{Ticket: t.Ticket}, &a)
		if err != nil || a.Instance != "" {
			return a, err
		}
		sleep(ctx, min(time.Duration(min(max(1, t.Seconds), 3600))*time.Second, mostPause))
		if ctx.Err() != nil {
			return a, ctx.Err()
		}
	}
}

// Unpair has the cloud revoke the instance whose credential c is. The assertion is
// for this alone: one that opens a link is none here. A refusal is a *wire.Refusal,
// with wire.RefusedRevoked when the instance was revoked before.
func Unpair(ctx context.Context, client *http.Client, base *url.URL, c Credential) error {
	to := base.JoinPath(wire.PathUnpair).String()
	proof := wire.NewAssertion(c.Instance, to, 0, time.Now())
	nonce, err := givenNonce(ctx, client, base)
	if err != nil {
		return err
	}
	if nonce != nil {
		proof = proof.With(nonce)
	}
	header, err := proof.Sign(c.Key)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", header)
	var done wire.Unpaired
	err = exchange(client, req, &done)
	if err == nil && done.Instance != c.Instance {
		err = notACloud(base)
	}
	return err
}

func post(ctx context.Context, client *http.Client, to *url.URL, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	return exchange(client, req, out)
}

// maxAnswer bounds what is read of an HTTP answer, in bytes.
const maxAnswer = 64 << 10

// exchange makes one request and decodes the answer into out.
func exchange(client *http.Client, req *http.Request, out any) error {
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return refusalOf(resp)
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(out); err != nil {
		return fmt.Errorf("%s answers, but not as an ldap-cloud does: %w", req.URL.Host, err)
	}
	return nil
}

// refusalOf reads a refusing answer: a *wire.Refusal, or an error that says
// what came instead.
func refusalOf(resp *http.Response) error {
	var r wire.Refusal
	err := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(&r)
	if err != nil || r.Code == "" {
		return fmt.Errorf("%s answers %s, and not as an ldap-cloud does: check cloud.url and what is between",
			resp.Request.URL.Host, resp.Status)
	}
	r.Message = plain(r.Message)
	return &r
}

// mostMessage bounds a refusal's message, in bytes.
const mostMessage = 1024

// plain bounds what a cloud says, and takes out what a terminal would act on.
func plain(s string) string {
	if len(s) > mostMessage {
		s = s[:mostMessage] + "…"
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}

// challenged returns what the cloud wants a proof to carry, as its answer to who asks for a link without
// one: the connection is then that of the link, which saves both ends a handshake of TLS. It is nil from a
// cloud of before, and where no answer comes: then [givenNonce] asks on another.
func challenged(ctx context.Context, client *http.Client, base *url.URL) []byte {
	ctx, cancel := context.WithTimeout(ctx, nonceTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base.JoinPath(wire.PathConnect).String(), nil)
	if err != nil {
		return nil
	}
	for name, value := range map[string]string{
		"Connection":             "Upgrade",
		"Upgrade":                "websocket",
		"Sec-WebSocket-Version":  "13",
		"Sec-WebSocket-Key":      rand.Text()[:22] + "==",
		"Sec-WebSocket-Protocol": wire.Subprotocol,
	} {
		req.Header.Set(name, value)
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized {
		return nil
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	var r wire.Refusal
	if err != nil || json.Unmarshal(b, &r) != nil || !r.GaveNonce() {
		return nil
	}
	return r.Nonce
}

// nonceTime is how long a cloud has to give a nonce.
const nonceTime = 10 * time.Second

// givenNonce returns what the cloud wants a proof to carry; nil from one that gives
// none: it says why at the dial. The error is that nobody was reached, or answered: a proof
// without a nonce would be none from who has given one.
func givenNonce(ctx context.Context, client *http.Client, base *url.URL) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, nonceTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base.JoinPath(wire.PathStatus).String(), nil)
	if err != nil {
		return nil, err
	}
	req.Close = true // net/http lets no websocket have it
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var s wire.Status
	if resp.StatusCode != http.StatusOK || json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(&s) != nil ||
		!s.GaveNonce() {
		return nil, nil
	}
	return s.Nonce, nil
}

// prove returns the Authorization header that opens a link. Its time is this
// machine's, put right by skew only with a nonce of the cloud: without one, who tells
// another time would have a proof that is good then.
func prove(ctx context.Context, client *http.Client, base *url.URL, c Credential, skew time.Duration) (string, error) {
	nonce, err := challenged(ctx, client, base), error(nil)
	if nonce == nil {
		nonce, err = givenNonce(ctx, client, base)
	}
	if err != nil {
		return "", err
	}
	now := time.Now()
	if nonce == nil {
		return wire.NewAssertion(c.Instance, base.String(), c.epoch(), now).Sign(c.Key)
	}
	return wire.NewAssertion(c.Instance, base.String(), c.epoch(), now.Add(skew)).With(nonce).Sign(c.Key)
}

// connect opens a websocket, proving possession of the credential by a clock that is
// behind the cloud's by skew.
func connect(
	ctx context.Context, client *http.Client, base *url.URL, c Credential, skew time.Duration,
) (*websocket.Conn, error) {
	client.CloseIdleConnections() // the cloud's name is looked up at each dial
	defer client.CloseIdleConnections()
	header, err := prove(ctx, client, base, c, skew)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	return upgrade(ctx, client, base, wire.Subprotocol, http.Header{"Authorization": {header}})
}

// ProxyError says that the proxy between does not let us through.
type ProxyError struct {
	Proxy  string // host and port
	Status int    // of its answer to CONNECT (RFC 9110 section 9.3.6)
}

// Error says which proxy and what it answered.
func (e *ProxyError) Error() string {
	return fmt.Sprintf("the proxy %s answers %d %s", e.Proxy, e.Status, http.StatusText(e.Status))
}

// CertificateIssuer returns who issued the certificate that err says is not
// trusted: behind a proxy that inspects TLS, that is the proxy's authority. It
// is empty when err says no such thing.
func CertificateIssuer(err error) string {
	var verify *tls.CertificateVerificationError
	if !errors.As(err, &verify) || len(verify.UnverifiedCertificates) == 0 {
		return ""
	}
	return verify.UnverifiedCertificates[0].Issuer.String()
}

// CertificateProblem tells whether err says that the other end's certificate is
// not trusted or not its own.
func CertificateProblem(err error) bool {
	var verify *tls.CertificateVerificationError
	var host x509.HostnameError
	var unknown x509.UnknownAuthorityError
	return errors.As(err, &verify) || errors.As(err, &host) || errors.As(err, &unknown)
}
