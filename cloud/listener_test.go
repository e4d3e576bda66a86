package cloud

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"ldap-gateway/cloudlink/wire"
)

// serveTLS runs a whole cloud over TLS, and returns where, and what stops it.
func serveTLS(t *testing.T, config *tls.Config, logger hclog.Logger) (address string) {
	t.Helper()
	data := t.TempDir() + "/cloud"
	_, err := Init(t.Context(), InFolder(data), "", "E", "https://127.0.0.1")
	must(t, err)
	ready, ended := make(chan string, 1), make(chan error, 1)
	s := &Server{
		Database: InFolder(data),
		Listen:   "127.0.0.1:0",
		TLS:      config,
		Logger:   logger,
		Ready:    func(u string) { ready <- u },
	}
	ctx, stop := context.WithCancel(context.Background())
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() { stop(); must(t, <-ended) })
	select {
	case u := <-ready:
		return strings.TrimPrefix(u, "https://")
	case err := <-ended:
		t.Fatal(err)
		return ""
	}
}

// filesFor makes a certificate in files that lasts from then on for so long.
func filesFor(t *testing.T, from time.Time, life time.Duration) (cert, key string) {
	t.Helper()
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	certificateFor(t, "127.0.0.1", cert, key, from, from.Add(life))
	return cert, key
}

// TestTLS speaks to the listener as clients of every kind do.
func TestTLS(t *testing.T) {
	cert, key := filesFor(t, time.Now().Add(-time.Hour), 365*24*time.Hour)
	config, err := CertificateFiles(cert, key, hclog.NewNullLogger())
	must(t, err)
	address := serveTLS(t, config, hclog.NewNullLogger())
	for name, c := range map[string]struct {
		config *tls.Config
		taken  bool
		next   string
	}{
		"1.3":           {&tls.Config{NextProtos: []string{"h2", "http/1.1"}}, true, "h2"},
		"1.2":           {&tls.Config{NextProtos: []string{"h2"}, MaxVersion: tls.VersionTLS12}, true, "h2"},
		"1.1":           {&tls.Config{NextProtos: []string{"http/1.1"}, MaxVersion: tls.VersionTLS12}, true, "http/1.1"},
		"without ALPN":  {&tls.Config{}, true, ""},
		"old version":   {&tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, false, ""},
		"CBC":           {suite(tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA), false, ""},
		"CBC of SHA256": {suite(tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256), false, ""},
		"GCM":           {suite(tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256), true, ""},
	} {
		c.config.InsecureSkipVerify = true // whose it is is not the question here
		conn, err := tls.Dial("tcp", address, c.config)
		if (err == nil) != c.taken {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			if got := conn.ConnectionState().NegotiatedProtocol; got != c.next {
				t.Errorf("%s: %q is spoken", name, got)
			}
			_ = conn.Close()
		}
	}
	answersOverTLS(t, address)
}

func suite(ids ...uint16) *tls.Config {
	return &tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: ids}
}

// answersOverTLS has both versions of HTTP carry what they must.
func answersOverTLS(t *testing.T, address string) {
	t.Helper()
	for _, two := range []bool{false, true} {
		client := &http.Client{Transport: &http.Transport{
			TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
			ForceAttemptHTTP2: two,
		}}
		defer client.CloseIdleConnections()
		ask := func(path, header, value string) *http.Response {
			t.Helper()
			r, err := http.NewRequestWithContext(t.Context(), "GET", "https://"+address+path, nil)
			must(t, err)
			r.Header.Set(header, value)
			resp, err := client.Do(r)
			must(t, err)
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
			return resp
		}
		for _, path := range []string{"/console/sign-in", "/v1/environments/none", "/none/as/authorize", "/live"} {
			if a := ask(path, "X-Any", "x"); a.Header.Get("Strict-Transport-Security") != "max-age=31536000" ||
				(a.ProtoMajor == 2) != two {
				t.Errorf("%s: %s %v", path, a.Proto, a.Header)
			}
		}
		if a := ask("/live", "X-Ticket", strings.Repeat("x", 100<<10)); a.StatusCode != http.StatusOK {
			t.Errorf("100 KB of header: %s", a.Status)
		}
		if two {
			continue // it ends the connection, with an error of its own
		}
		if a := ask("/live", "X-Ticket", strings.Repeat("x", 200<<10)); a.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("200 KB of header: %s", a.Status)
		}
	}
	// A link of an agent begins as HTTP/1.1, and is refused here for want of a proof alone.
	client := &http.Client{Transport: &http.Transport{
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
		ForceAttemptHTTP2: true,
	}}
	defer client.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), "GET", "https://"+address+wire.PathConnect, nil)
	must(t, err)
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("Upgrade", "websocket")
	resp, err := client.Do(r)
	must(t, err)
	defer resp.Body.Close()
	if resp.ProtoMajor != 1 || resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("%s %s", resp.Proto, resp.Status)
	}
}

// TestCertificateThatEndsIsTold starts with certificates of every age.
func TestCertificateThatEndsIsTold(t *testing.T) {
	const day = 24 * time.Hour
	for name, c := range map[string]struct {
		since, life time.Duration
		level, says string
		alert       bool
	}{
		"new":          {day, 90 * day, "", "", false},
		"renewed soon": {70 * day, 90 * day, "", "", false},
		"ends":         {80 * day, 90 * day, "[WARN]", "ends soon", true},
		"short life":   {day, 6 * day, "", "", false},
		"short ends":   {5*day + 12*time.Hour, 6 * day, "[WARN]", "ends soon", true},
		"has ended":    {91 * day, 90 * day, "[ERROR]", "has ended", true},
	} {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			cert, key := filesFor(t, time.Now().Add(-c.since), c.life)
			config, err := CertificateFiles(cert, key, hclog.NewNullLogger())
			must(t, err)
			var said bytes.Buffer
			n := &node{Server: &Server{TLS: config, Logger: hclog.New(&hclog.LoggerOptions{Output: &said})}}
			n.tellCertificates(t.Context())
			if got := said.String(); !strings.Contains(got, c.level) || !strings.Contains(got, c.says) ||
				(got == "") != (c.says == "") {
				t.Errorf("%q", got)
			}
			all, err := n.ofCertificates(t.Context(), time.Now())
			if err != nil || (len(all) == 1) != c.alert {
				t.Errorf("%+v %v", all, err)
			}
		})
	}
}

// knock is a connection from an address; gone is closed when it is.
type knock struct {
	net.Conn
	from string
	gone chan struct{}
}

func (k *knock) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(k.from), 1))
}

func (k *knock) Close() error { close(k.gone); return nil }

// TestStrangersWaitForNobody: who waits goes for who comes, of the largest network the
// oldest; who works stays.
func TestStrangersWaitForNobody(t *testing.T) {
	for name, c := range map[string]struct {
		proxies []netip.Prefix
		come    []string // addresses; in capitals: at work
		gone    string   // which of them went, by their places
	}{
		"the oldest":           {nil, []string{"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5"}, "0"},
		"who works stays":      {nil, []string{"10.0.0.1!", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5"}, "1"},
		"of the largest":       {nil, []string{"10.0.0.1", "10.0.0.2", "10.0.0.2", "10.0.0.2", "10.0.0.3"}, "1"},
		"all work":             {nil, []string{"10.0.0.1!", "10.0.0.2!", "10.0.0.3!", "10.0.0.4!", "10.0.0.5"}, "4"},
		"one network works":    {nil, []string{"10.0.0.1!", "10.0.0.1!", "10.0.0.1!", "10.0.0.1", "10.0.0.2"}, "3"},
		"a line of IPv6":       {nil, []string{"2001:db8::1!", "2001:db8::2!", "2001:db8::3!", "2001:db8::4", "::1"}, "3"},
		"a proxy is of nobody": {[]netip.Prefix{netip.MustParsePrefix("10.0.0.0/24")}, []string{"10.0.0.1!", "10.0.0.1!", "10.0.0.1!", "10.0.0.1!"}, ""},
	} {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {

			b := newBounded(nil, 4, c.proxies, hclog.NewNullLogger())
			var all []*knock
			gone := ""
			for _, from := range c.come {
				k := &knock{from: strings.TrimSuffix(from, "!"), gone: make(chan struct{})}
				all = append(all, k)
				in := &connection{Conn: k, from: b, network: networkOf(k.RemoteAddr()), waits: time.Now()}
				if out := b.enter(in); out != nil {
					must(t, out.Close())
				}
				if strings.HasSuffix(from, "!") && b.has(in) {
					b.state(in, http.StateActive)
				}
			}
			for i, k := range all {
				select {
				case <-k.gone:
					gone += string(rune('0' + i))
				default:
				}
			}
			if gone != c.gone {
				t.Errorf("%q went", gone)
			}
			open, closed := b.Connections()
			if closed != len(gone) || open != len(all)-closed || (len(b.alerts(time.Now())) == 1) != (closed > 0) {
				t.Errorf("%d are open, %d were closed, %v", open, closed, b.alerts(time.Now()))
			}
			if told := b.alerts(time.Now().Add(time.Hour)); told != nil {
				t.Errorf("an hour later: %v", told)
			}
		})
	}
}

// broken is a listener that accepts nothing.
type broken struct{ net.Listener }

func (broken) Accept() (net.Conn, error) { return nil, syscall.EMFILE }

// That no connection can be accepted is an error in the log, and one line of it.
func TestAcceptErrorsAreTold(t *testing.T) {
	var said bytes.Buffer
	b := newBounded(broken{}, 4, nil, hclog.New(&hclog.LoggerOptions{Output: &said}))
	for range 1000 {
		if _, err := b.Accept(); !errors.Is(err, syscall.EMFILE) {
			t.Fatal(err)
		}
	}
	if got := said.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "[ERROR]") {
		t.Errorf("%q", got)
	}
	if _, closed := b.Connections(); closed != 1000 || len(b.alerts(time.Now())) != 1 {
		t.Errorf("%d are counted, %v", closed, b.alerts(time.Now()))
	}
}
