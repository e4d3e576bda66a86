package e2e

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"ldap-gateway/cloud/handbook"
	"ldap-gateway/cloud/idp/idptest"
)

// front is a proxy that ends TLS before a cloud, as the handbook has it.
type front struct {
	*secured
	t    *testing.T
	kind string // language of the sample in the handbook
	port int
	bad  bool // what the sample says of headers is left out
}

// What runs each proxy with a sample in a file, besides the sample.
var frontFiles = map[string]string{
	"nginx": "daemon off;\nuser root;\npid %[1]s/nginx.pid;\nerror_log %[1]s/nginx.err;\nevents {}\nhttp {\naccess_log off;\n" +
		"client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f;\n" +
		"uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;\n%[2]s}\n",
	"haproxy": "%[2]s",
	"apache": "ServerRoot %[1]s\nServerName localhost\nPidFile %[1]s/pid\nMutex file:%[1]s\nErrorLog %[1]s/err\n" +
		"LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so\n" +
		"LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so\n" +
		"LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so\n" +
		"LoadModule socache_shmcb_module /usr/lib/apache2/modules/mod_socache_shmcb.so\n" +
		"LoadModule headers_module /usr/lib/apache2/modules/mod_headers.so\n" +
		"LoadModule proxy_module /usr/lib/apache2/modules/mod_proxy.so\n" +
		"LoadModule proxy_http_module /usr/lib/apache2/modules/mod_proxy_http.so\n%[2]s",
}

// newFront chooses the port of a proxy, which the cloud is to be known by.
func newFront(t *testing.T, kind string) *front {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	return &front{secured: secure(t, "localhost"), t: t, kind: kind, port: l.Addr().(*net.TCPAddr).Port}
}

func (f *front) url() string { return "https://localhost:" + strconv.Itoa(f.port) }

// sample returns the lines of the handbook for its kind.
func sample(t *testing.T, kind string) string {
	t.Helper()
	page, _ := handbook.Source("proxies")
	_, after, found := strings.Cut(page, "```"+kind+"\n")
	lines, _, ended := strings.Cut(after, "```")
	if !found || !ended {
		t.Fatalf("the handbook has nothing for %s", kind)
	}
	return lines
}

// forHere puts what is true of this machine into a sample; a line that is not there fails the test.
func (f *front) forHere(lines, backend string) string {
	f.t.Helper()
	both := filepath.Join(f.t.TempDir(), "both.pem")
	var pems []byte
	for _, name := range []string{f.cert, f.key} {
		b, err := os.ReadFile(name)
		must(f.t, err)
		pems = append(pems, b...)
	}
	must(f.t, os.WriteFile(both, pems, 0o600))
	listen := "127.0.0.1:" + strconv.Itoa(f.port)
	replace := [][2]string{{"id.example.com", "localhost"}, {"127.0.0.1:8080", backend}}
	switch f.kind {
	case "nginx":
		replace = append(replace, [2]string{"listen 443", "listen " + listen},
			[2]string{"/etc/ssl/localhost.pem", f.cert}, [2]string{"/etc/ssl/localhost.key", f.key})
	case "haproxy":
		replace = append(replace, [2]string{":443", listen}, [2]string{"/etc/ssl/localhost.both.pem", both})
	case "apache":
		lines = "Listen " + listen + "\n" + lines
		replace = append(replace, [2]string{"*:443", listen},
			[2]string{"/etc/ssl/localhost.pem", f.cert}, [2]string{"/etc/ssl/localhost.key", f.key})
	}
	for _, r := range replace {
		if !strings.Contains(lines, r[0]) {
			f.t.Fatalf("%s has no %q:\n%s", f.kind, r[0], lines)
		}
		lines = strings.ReplaceAll(lines, r[0], r[1])
	}
	return lines
}

// serve runs it before a cloud that listens.
func (f *front) serve(w *world) {
	f.t.Helper()
	lines := f.forHere(sample(f.t, f.kind), strings.TrimPrefix(w.address(), "http://"))
	if f.bad {
		lines = regexp.MustCompile(`(?m)^.*(proxy_set_header|proxy_http_version|RequestHeader|ProxyPreserve|X-Forwarded|forwardfor).*$`).
			ReplaceAllString(lines, "")
		lines = strings.ReplaceAll(lines, "upgrade=websocket", "")
	}
	dir := f.t.TempDir()
	file := filepath.Join(dir, f.kind+".conf")
	must(f.t, os.WriteFile(file, fmt.Appendf(nil, frontFiles[f.kind], dir, lines), 0o600))
	run := map[string][]string{
		"nginx":   {"/usr/sbin/nginx", "-c", file, "-e", dir + "/nginx.err"},
		"haproxy": {"/usr/sbin/haproxy", "-db", "-f", file},
		"apache":  {"/usr/sbin/apache2", "-f", file, "-DFOREGROUND"},
	}[f.kind]
	start(f.t, dir+"/log", run[0], run[1:]...)
	w.await(f.kind+" answers", func() bool {
		resp, err := f.client.Get(f.url() + "/live")
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	w.api.HTTP = f.client
}

// behind starts a world behind a proxy.
func behind(t *testing.T, f *front) *world {
	t.Helper()
	return newWorld(t, plan{front: f, flags: []string{"--url", f.url(), "--trusted-proxy", "127.0.0.1/32"}, policy: unlimited})
}

// person is somebody's browser, at another address than the proxy's.
func (f *front) person() *http.Client {
	jar, err := cookiejar.New(nil)
	must(f.t, err)
	transport := f.client.Transport.(*http.Transport).Clone()
	from := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	transport.DialContext = func(ctx context.Context, _, address string) (net.Conn, error) {
		return from.DialContext(ctx, "tcp4", address)
	}
	f.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Jar: jar, Transport: transport}
}

// signOn has alice sign on to an application, by a browser that lies about where it is, and returns
// what the application learnt.
func (f *front) signOn(w *world) map[string]any {
	f.t.Helper()
	const callback = "http://localhost:1/cb"
	id, secret := w.register(map[string]any{"name": "Wiki", "type": "WEB_APP", "redirectUris": []string{callback}})
	ctx := gooidc.ClientContext(f.t.Context(), f.client)
	provider, err := gooidc.NewProvider(ctx, w.issuer())
	must(f.t, err)
	config := &oauth2.Config{
		ClientID: id, ClientSecret: secret, RedirectURL: callback, Endpoint: provider.Endpoint(),
		Scopes: []string{"openid", "profile", "groups"},
	}
	verifier := oauth2.GenerateVerifier()
	browser := f.person()
	var code string
	browser.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), callback) {
			code = r.URL.Query().Get("code")
			return http.ErrUseLastResponse
		}
		return nil
	}
	send := func(method, address string, form url.Values) *http.Response {
		r, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(form.Encode()))
		must(f.t, err)
		r.Header.Set("X-Forwarded-For", "198.51.100.1")
		if form != nil {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("Origin", f.url())
		}
		resp, err := browser.Do(r)
		must(f.t, err)
		return resp
	}
	at := send("GET", config.AuthCodeURL("s", oauth2.S256ChallengeOption(verifier)), nil)
	_ = at.Body.Close()
	done := send("POST", w.url+"/"+w.api.Environment+"/signon", url.Values{
		"flow": {at.Request.URL.Query().Get("flow")}, "username": {"alice"}, "password": {"wonderland"},
	})
	b, err := io.ReadAll(done.Body)
	must(f.t, err)
	_ = done.Body.Close()
	if _, after, found := strings.Cut(string(b), `content="0; url=`); found {
		next, _, _ := strings.Cut(after, `"`)
		_ = send("GET", w.url+strings.ReplaceAll(next, "&amp;", "&"), nil).Body.Close()
	}
	token, err := config.Exchange(ctx, code, oauth2.VerifierOption(verifier))
	if err != nil {
		f.t.Fatalf("%v\n%s", err, b)
	}
	raw, _ := token.Extra("id_token").(string)
	idToken, err := provider.Verifier(&gooidc.Config{ClientID: id}).Verify(ctx, raw)
	must(f.t, err)
	claims := map[string]any{}
	must(f.t, idToken.Claims(&claims))
	return claims
}

// TestBehindProxies: with the lines of the handbook, an application signs somebody on through
// a proxy, an agent is paired and linked, addresses are right, and large tickets arrive.
func TestBehindProxies(t *testing.T) {
	for kind := range frontFiles {
		t.Run(kind, func(t *testing.T) {
			f := newFront(t, kind)
			w := behind(t, f)
			if claims := f.signOn(w); claims["preferred_username"] != "alice" {
				t.Errorf("%v", claims)
			}
			var last struct {
				Embedded struct {
					SignOns []struct{ Username, Address string }
				} `json:"_embedded"`
			}
			w.must("GET", "/signOns?limit=1", nil, &last)
			if s := last.Embedded.SignOns; len(s) != 1 || s[0].Username != "alice" || s[0].Address != "127.0.0.2" {
				t.Errorf("the record: %+v", s)
			}
			if out, code := w.command("agent1", "", "check"); code != 0 || !regexp.MustCompile(`ok +websocket`).MatchString(out) {
				t.Errorf("check: %d\n%s", code, out)
			}
			f.journey(w)
			for _, bytes := range []int{1 << 10, 8 << 10, 16 << 10, 32 << 10, 64 << 10, 100 << 10} {
				f.ticket(w, bytes)
			}
			if w.warned() {
				t.Error("the cloud does not trust its proxy")
			}
		})
	}
}

// journey goes on to an identity provider with as long a wish of an application as there is, which is
// in the address and in a cookie then.
func (f *front) journey(w *world) {
	f.t.Helper()
	certificate := base64.StdEncoding.EncodeToString(idptest.NewPair(time.Now().Add(time.Hour)).Cert.Raw)
	var made map[string]any
	must(f.t, w.api.Post(f.t.Context(), "/identityProviders", "application/samlmetadata+xml", []byte(
		`<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://partner.example">`+
			`<IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><KeyDescriptor use="signing">`+
			`<KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>`+certificate+`</X509Certificate>`+
			`</X509Data></KeyInfo></KeyDescriptor><SingleSignOnService Location="https://partner.example/sso" `+
			`Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"/></IDPSSODescriptor></EntityDescriptor>`), &made))
	made["enabled"] = true
	w.must("PUT", "/identityProviders/"+made["id"].(string), made, nil)
	id, _ := w.register(map[string]any{"name": "Long", "type": "WEB_APP", "redirectUris": []string{"http://localhost:1/cb"}})
	state := ""
	for len(state) < 1900 {
		state += rand.Text()
	}
	browser := f.person()
	read := func(address string) *http.Response {
		resp, err := browser.Get(address)
		must(f.t, err)
		defer resp.Body.Close()
		_, err = io.Copy(io.Discard, resp.Body)
		must(f.t, err)
		return resp
	}
	at := read(w.issuer() + "/authorize?" + url.Values{
		"client_id": {id}, "redirect_uri": {"http://localhost:1/cb"}, "response_type": {"code"}, "scope": {"openid"}, "state": {state},
		"code_challenge": {oauth2.S256ChallengeFromVerifier(oauth2.GenerateVerifier())}, "code_challenge_method": {"S256"},
	}.Encode())
	resp := read(fmt.Sprintf("%s/%s/signon/idp/%s?%s", w.url, w.api.Environment, made["id"], at.Request.URL.RawQuery))
	if n := len(resp.Header.Get("Set-Cookie")); resp.StatusCode != http.StatusOK || n < 2500 {
		f.t.Errorf("%s, a cookie of %d bytes; the wish: %s, %d letters", resp.Status, n, at.Status, len(at.Request.URL.RawQuery))
	}
}

// ticket sends one of so many bytes, which is none of ours: the page comes all the same.
func (f *front) ticket(w *world, bytes int) {
	f.t.Helper()
	r, err := http.NewRequestWithContext(f.t.Context(), "GET", w.signOnPage(), nil)
	must(f.t, err)
	r.Header.Set("Authorization", "Negotiate "+strings.Repeat("A", bytes))
	resp, err := f.person().Do(r)
	must(f.t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if must(f.t, err); resp.StatusCode != http.StatusOK || !strings.Contains(string(b), `type="password"`) {
		f.t.Errorf("a ticket of %d bytes: %s %.300s", bytes, resp.Status, b)
	}
}

// warned tells whether the cloud's log says that somebody forwards who is not trusted to.
func (w *world) warned() bool {
	w.t.Helper()
	b, err := os.ReadFile(w.dir + "/cloud.log")
	must(w.t, err)
	return strings.Contains(string(b), "is not among --trusted-proxy")
}

// TestProxiesWithoutTheirLines: a proxy that lacks what the handbook says is named, by the agent
// and by the cloud.
func TestProxiesWithoutTheirLines(t *testing.T) {
	for _, kind := range []string{"nginx", "apache"} { // haproxy passes websockets in any case
		t.Run(kind, func(t *testing.T) {
			f := newFront(t, kind)
			f.bad = true
			w := &world{t: t, dir: t.TempDir(), front: f, flags: []string{"--url", f.url()}}
			w.at = *w.startSlapd(plan{}.slapd)
			w.initCloud()
			w.startCloud("127.0.0.1:0")
			w.makeGateway(nil)
			w.writeFile("agent1", plan{})
			if out, code := w.command("agent1", w.code(), "pair"); code != 0 {
				t.Fatalf("pair: %d\n%s", code, out)
			}
			const named = "something between here and the cloud does not pass websockets"
			out, code := w.command("agent1", "", "check")
			if code == 0 || !regexp.MustCompile(`FAIL +websocket.*`+named).MatchString(out) || !strings.Contains(out, "Upgrade and Connection") {
				t.Errorf("check: %d\n%s", code, out)
			}
			m := &machine{name: "agent1"}
			w.launchAgent(m)
			w.await("the agent's log names it", func() bool {
				b, err := os.ReadFile(filepath.Join(w.dir, "agent1", "log"))
				return err == nil && strings.Contains(string(b), named)
			})
			if kind == "apache" && !w.warned() { // which always says for whom it speaks
				t.Error("the cloud does not tell of a proxy that it was not told of")
			}
		})
	}
}

// TestProxiesWaitLongEnough: no sample cuts a websocket that is as quiet as one may be.
func TestProxiesWaitLongEnough(t *testing.T) {
	const quiet = 60 * time.Second // twice the longest time between two heartbeats
	for kind, setting := range map[string]string{
		"nginx": `proxy_read_timeout (\d+s);`, "apache": `timeout=(\d+)`, "haproxy": `timeout tunnel +(\d+h)`,
	} {
		m := regexp.MustCompile(setting).FindStringSubmatch(sample(t, kind))
		if m == nil {
			t.Errorf("%s says nothing", kind)
			continue
		}
		text := m[1]
		if kind == "apache" {
			text += "s"
		}
		if d, err := time.ParseDuration(text); err != nil || d < quiet {
			t.Errorf("%s waits %s, %v", kind, d, err)
		}
	}
}
