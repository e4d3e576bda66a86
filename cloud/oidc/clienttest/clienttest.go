package clienttest

import (
	"bytes"
	"context"
	"embed"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"ldap-gateway/cloud/idp/providertest"
)

//go:embed programs
var programs embed.FS

// startTime is how long an application has to answer.
const startTime = 60 * time.Second

// stopTime is how long one has to end.
const stopTime = 5 * time.Second

// Application is one of the programs.
type Application struct {
	URL      string // "http://localhost:PORT"
	Redirect string // where its codes go

	t       testing.TB
	dir     string
	port    int
	command []string
	output  *bytes.Buffer
}

// Kind says which library an application is written on.
type Kind struct {
	Name     string
	Type     string   // of the application, as the API has it
	PKCE     bool     // the library sends it as it is documented
	program  string   // below programs
	callback string   // path that codes go to
	packages []string // of npm
	command  string
	Preset   bool // it runs with the lines of the preset of its name
}

// Kinds returns all that run as a server.
func Kinds() []Kind {
	return []Kind{
		{"openid-client", "WEB_APP", true, "openid-client.mjs", "/cb", []string{"openid-client@6.9.0"}, "node", false},
		{"passport", "WEB_APP", false, "passport.cjs", "/cb", []string{
			"passport-openidconnect@0.1.2", "passport@0.7.0", "express@4.21.2", "express-session@1.18.2",
		}, "node", false},
		{"authjs", "WEB_APP", true, "authjs.mjs", "/auth/callback/cloud", []string{"@auth/core@0.41.3"}, "node", false},
		{"authlib", "WEB_APP", true, "authlib_app.py", "/cb", nil, "/usr/bin/python3", false},
		{"apache", "WEB_APP", true, "apache.conf", "/oidc", nil, "/usr/sbin/apache2", true},
		{"oauth2-proxy", "WEB_APP", true, "", "/oauth2/callback", nil, "", true},
		{"express", "WEB_APP", true, "express.cjs", "/callback", []string{
			"express-openid-connect@3.4.0", "express@4.21.2",
		}, "node", true},
		{"django", "WEB_APP", false, "django_app.py", "/complete/oidc/", nil, "/usr/bin/python3", true},
		{"oidc-client-ts", "SINGLE_PAGE_APP", true, "page.mjs", "/", []string{"oidc-client-ts@3.5.0"}, "node", false},
	}
}

// SAMLKinds returns those that speak SAML 2.0. Each reads idp.xml, idp.crt, sp.key and sp.crt
// beside it.
func SAMLKinds() []Kind {
	return []Kind{
		{Name: "node-saml", program: "node-saml.mjs", callback: "/acs", command: "node",
			packages: []string{"@node-saml/node-saml@5.1.0"}},
		{Name: "samlify", program: "samlify.mjs", callback: "/acs", command: "node",
			packages: []string{"samlify@2.13.1"}},
		{Name: "pysaml2", program: "pysaml2_app.py", callback: "/acs", command: "/usr/bin/python3"},
		{Name: "mellon", program: "mellon.conf", callback: "/mellon/postResponse", command: "/usr/sbin/apache2"},
	}
}

// New makes an application ready: it has an address, which is registered before it starts.
func New(t testing.TB, k Kind) *Application {
	t.Helper()
	port := freePort(t)
	a := &Application{
		URL:     "http://localhost:" + strconv.Itoa(port),
		t:       t,
		dir:     t.TempDir(),
		port:    port,
		command: []string{k.command, k.program},
		output:  new(bytes.Buffer),
	}
	a.Redirect = a.URL + k.callback
	if k.program != "" {
		text, err := programs.ReadFile("programs/" + k.program)
		if err != nil {
			t.Fatal(err)
		}
		a.Write(k.program, string(text))
	}
	if len(k.packages) > 0 {
		providertest.Modules(t, a.dir, k.packages...)
	}
	return a
}

// freePort returns one that a program takes over. It is of none that the system gives to
// connections by itself: one of those could come between.
func freePort(t testing.TB) int {
	t.Helper()
	for range 100 {
		port := 20_000 + rand.IntN(12_000)
		l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
		if err == nil {
			_ = l.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}

// Write puts a file where the application runs, and returns its path.
func (a *Application) Write(name, text string) string {
	a.t.Helper()
	at := filepath.Join(a.dir, name)
	err := os.MkdirAll(filepath.Dir(at), 0o755)
	if err == nil {
		err = os.WriteFile(at, []byte(text), 0o644)
	}
	if err != nil {
		a.t.Fatal(err)
	}
	return at
}

// Start runs it until the test ends, for an application of an issuer.
func (a *Application) Start(issuer, id, secret string, more ...string) {
	a.t.Helper()
	c := exec.Command(a.command[0], a.command[1:]...)
	c.Dir = a.dir
	c.Env = append(append(os.Environ(),
		"PORT="+strconv.Itoa(a.port), "DIR="+a.dir, "URL="+a.URL, "REDIRECT="+a.Redirect,
		"ISSUER="+issuer, "CLIENT_ID="+id, "CLIENT_SECRET="+secret,
		"NODE_NO_WARNINGS=1", "AUTHLIB_INSECURE_TRANSPORT=1"), more...)
	c.Stdout, c.Stderr = a.output, a.output
	c.WaitDelay = stopTime
	if err := c.Start(); err != nil {
		a.t.Fatalf("%v: run \"make tools\"", err)
	}
	gone := make(chan struct{})
	go func() {
		_ = c.Wait() // it was killed, or says why in its output
		close(gone)
	}()
	a.t.Cleanup(func() {
		_ = c.Process.Signal(syscall.SIGTERM) // which Apache tells its workers
		stuck := time.AfterFunc(stopTime, func() { _ = c.Process.Kill() })
		<-gone
		stuck.Stop()
		if a.t.Failed() {
			a.t.Logf("%v:\n%s", a.command, a.output)
		}
	})
	a.await(gone)
}

// await waits until it answers.
func (a *Application) await(gone <-chan struct{}) {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(a.t.Context(), startTime)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, a.URL+"/ready", nil)
		if err != nil {
			a.t.Fatal(err)
		}
		if answer, err := http.DefaultClient.Do(r); err == nil {
			_ = answer.Body.Close()
			return
		}
		select {
		case <-gone:
			a.t.Fatalf("%v is over: run \"make tools\"\n%s", a.command, a.output)
		case <-ctx.Done():
			a.t.Fatalf("%v does not answer: run \"make tools\"\n%s", a.command, a.output)
		case <-tick.C:
		}
	}
}
