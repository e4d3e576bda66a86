package cloudlink_test

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ldap-gateway/cloudlink"
	"ldap-gateway/cloudlink/cloudlinktest"
	"ldap-gateway/cloudlink/wire"
	"ldap-gateway/directory/directorytest"
)

// TestMain sets the proxy of the environment before net/http reads it, once for
// the process. No test is affected whose cloud is on a loopback address.
func TestMain(m *testing.M) {
	os.Setenv("HTTPS_PROXY", "http://proxy.test:3128")
	os.Setenv("NO_PROXY", "inside.test")
	os.Exit(m.Run())
}

// connectProxy is a real CONNECT proxy (RFC 9110 section 9.3.6).
type connectProxy struct {
	basic    string            // user and password that it wants; empty: none
	inspect  *tls.Certificate  // shown in the place of the cloud's own; nil: bytes pass as they are
	upstream *tls.Config       // towards the cloud, with inspect
	names    map[string]string // where a host and port really are
	tunnels  atomic.Int64
}

func (p *connectProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if p.basic != "" &&
		r.Header.Get("Proxy-Authorization") != "Basic "+base64.StdEncoding.EncodeToString([]byte(p.basic)) {
		w.Header().Set("Proxy-Authenticate", `Basic realm="proxy"`)
		w.WriteHeader(http.StatusProxyAuthRequired)
		return
	}
	far, err := net.Dial("tcp", resolve(p.names, r.Host))
	if r.Method != http.MethodConnect || err != nil {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	defer far.Close()
	near, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer near.Close()
	p.tunnels.Add(1)
	_, _ = io.WriteString(near, "HTTP/1.1 200 Connection established\r\n\r\n")
	if p.inspect != nil {
		near, far = tls.Server(near, &tls.Config{Certificates: []tls.Certificate{*p.inspect}}), tls.Client(far, p.upstream)
	}
	go func() { _, _ = io.Copy(far, near); _ = far.Close() }()
	_, _ = io.Copy(near, far)
}

func resolve(names map[string]string, address string) string {
	if real, ok := names[address]; ok {
		return real
	}
	return address
}

// start serves the proxy, over TLS when there is a certificate, and returns its URL.
func (p *connectProxy) start(t *testing.T, certificate *tls.Certificate) *url.URL {
	t.Helper()
	srv := httptest.NewUnstartedServer(p)
	if certificate != nil {
		srv.TLS = &tls.Config{Certificates: []tls.Certificate{*certificate}}
		srv.StartTLS()
	} else {
		srv.Start()
	}
	t.Cleanup(srv.Close)
	u, err := url.Parse(srv.URL)
	ok(t, err)
	return u
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// authority makes an authority and a certificate of it for what tests use.
func authority(t *testing.T) (*directorytest.Authority, *tls.Certificate) {
	t.Helper()
	a, err := directorytest.NewAuthority()
	ok(t, err)
	c, err := a.Issue([]string{"127.0.0.1", "::1", "outside.test", "inside.test"}, nil)
	ok(t, err)
	return a, &c
}

// run keeps a link to the cloud at base, through client.
func run(t *testing.T, cloud *cloudlinktest.Cloud, base *url.URL, client *http.Client) *cloudlink.Link {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	ok(t, err)
	cloud.Key = public
	l := &cloudlink.Link{
		URL:        base,
		Client:     client,
		Handler:    &slowHandler{},
		Credential: cloudlink.Credential{Instance: "i1", Key: private},
		Hello:      func() wire.Hello { return wire.Hello{} },
		Heartbeat:  func() wire.Heartbeat { return wire.Heartbeat{} },
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()
	t.Cleanup(func() { stop(); ok(t, <-ended) })
	return l
}

// works makes a sign-on on the next link.
func works(t *testing.T, cloud *cloudlinktest.Cloud) *cloudlinktest.Conn {
	t.Helper()
	c := cloud.AwaitLink(t)
	if r := result(t, <-ask(t, c, "1", time.Minute)); r.Outcome != wire.OutcomeOK {
		t.Errorf("%+v", r)
	}
	return c
}

func withUser(u *url.URL, user, password string) *url.URL {
	named := *u
	named.User = url.UserPassword(user, password)
	return &named
}

func TestProxies(t *testing.T) {
	a, certificate := authority(t)
	for name, c := range map[string]struct {
		proxy  *connectProxy
		secure *tls.Certificate
	}{
		"plain":       {&connectProxy{}, nil},
		"basic":       {&connectProxy{basic: "agent:p@ss/word"}, nil},
		"https":       {&connectProxy{}, certificate},
		"https-basic": {&connectProxy{basic: "agent:p@ss/word"}, certificate},
	} {
		t.Run(name, func(t *testing.T) {
			cloud := &cloudlinktest.Cloud{Cert: certificate}
			base, u := cloud.Serve(t), c.proxy.start(t, c.secure)
			if c.proxy.basic != "" {
				u = withUser(u, "agent", "p@ss/word")
			}
			run(t, cloud, base, cloudlink.NewHTTPClient(u, a.Pool))
			works(t, cloud)
			if c.proxy.tunnels.Load() == 0 {
				t.Error("the link goes past the proxy")
			}
		})
	}
}

func TestProxyWithWrongPassword(t *testing.T) {
	a, certificate := authority(t)
	cloud := &cloudlinktest.Cloud{Cert: certificate}
	base := cloud.Serve(t)
	proxy := &connectProxy{basic: "agent:right"}
	u := proxy.start(t, nil)
	_, err := cloudlink.GetStatus(t.Context(), cloudlink.NewHTTPClient(withUser(u, "agent", "wr0ng"), a.Pool), base)
	var refused *cloudlink.ProxyError
	if !errors.As(err, &refused) || refused.Status != http.StatusProxyAuthRequired || refused.Proxy != u.Host ||
		strings.Contains(err.Error(), "wr0ng") {
		t.Errorf("%v", err)
	}
}

// TestProxyOfTheEnvironment dials names that only the test knows.
func TestProxyOfTheEnvironment(t *testing.T) {
	a, certificate := authority(t)
	proxy := &connectProxy{names: map[string]string{}}
	names := map[string]string{"proxy.test:3128": proxy.start(t, nil).Host}
	for host, tunnels := range map[string]int64{"outside.test": 1, "inside.test": 0} {
		t.Run(host, func(t *testing.T) {
			cloud := &cloudlinktest.Cloud{Cert: certificate}
			real := cloud.Serve(t).Host
			proxy.tunnels.Store(0)
			proxy.names[host+":443"], names[host+":443"] = real, real
			cloud.At("https://" + host)
			client := cloudlink.NewHTTPClient(nil, a.Pool)
			client.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, resolve(names, address))
			}
			run(t, cloud, &url.URL{Scheme: "https", Host: host}, client)
			works(t, cloud)
			if n := proxy.tunnels.Load(); n != tunnels {
				t.Errorf("%d tunnels", n)
			}
		})
	}
}

// TestInspectingProxy has a proxy read along with an authority of its own.
func TestInspectingProxy(t *testing.T) {
	clouds, certificate := authority(t)
	proxies, shown := authority(t)
	cloud := &cloudlinktest.Cloud{Cert: certificate}
	base := cloud.Serve(t)
	u := (&connectProxy{inspect: shown, upstream: &tls.Config{RootCAs: clouds.Pool, ServerName: "127.0.0.1"}}).start(t,
		nil)
	_, err := cloudlink.GetStatus(t.Context(), cloudlink.NewHTTPClient(u, clouds.Pool), base)
	if !cloudlink.CertificateProblem(err) || cloudlink.CertificateIssuer(err) != "CN=Test CA" {
		t.Errorf("%v, issuer %q", err, cloudlink.CertificateIssuer(err))
	}
	if cloud.Dials.Load() != 0 {
		t.Error("something was sent through a proxy that is not trusted")
	}
	run(t, cloud, base, cloudlink.NewHTTPClient(u, proxies.Pool))
	works(t, cloud)
}

func TestIPv6(t *testing.T) {
	a, certificate := authority(t)
	cloud := &cloudlinktest.Cloud{Cert: certificate, Address: "[::1]:0"}
	run(t, cloud, cloud.Serve(t), cloudlink.NewHTTPClient(nil, a.Pool))
	works(t, cloud)
}

// TestNameIsLookedUpAtEachDial has the cloud move while the link is up.
func TestNameIsLookedUpAtEachDial(t *testing.T) {
	first, second := &cloudlinktest.Cloud{}, &cloudlinktest.Cloud{}
	var at atomic.Pointer[string]
	host := first.Serve(t).Host
	at.Store(&host)
	client := cloudlink.NewHTTPClient(nil, nil)
	client.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, *at.Load())
	}
	base := &url.URL{Scheme: "http", Host: "inside.test"}
	moved := second.Serve(t).Host
	first.At(base.String())
	second.At(base.String())
	run(t, first, base, client)
	second.Key = first.Key
	c := works(t, first)
	at.Store(&moved)
	c.Cut()
	works(t, second)
}

// idleConn is what a proxy does to a connection that is idle for a minute.
type idleConn struct {
	net.Conn
	cut *time.Timer
}

func (c *idleConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.cut.Reset(time.Minute)
	return n, err
}

func (c *idleConn) Write(b []byte) (int, error) {
	c.cut.Reset(time.Minute)
	return c.Conn.Write(b)
}

// TestHeartbeatsKeepAnIdleLink lives a day behind a proxy that drops connections
// after 60 s without traffic, with a cloud that would beat more rarely.
func TestHeartbeatsKeepAnIdleLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var timers sync.Map
		cloud := &cloudlinktest.Cloud{Heartbeat: time.Hour}
		start(t, cloud, &slowHandler{}, func(l *cloudlink.Link) {
			transport := l.Client.Transport.(*http.Transport)
			dial := transport.DialContext
			transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
				conn, err := dial(ctx, network, address)
				if err != nil {
					return nil, err
				}
				idle := &idleConn{conn, time.AfterFunc(time.Minute, func() { _ = conn.Close() })}
				timers.Store(idle, nil)
				return idle, nil
			}
		})
		works(t, cloud)
		time.Sleep(24 * time.Hour)
		if n := cloud.Dials.Load(); n != 1 {
			t.Errorf("%d dials", n)
		}
		timers.Range(func(c, _ any) bool { c.(*idleConn).cut.Stop(); return true })
	})
}
