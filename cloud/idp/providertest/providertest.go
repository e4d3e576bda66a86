package providertest

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"ldap-gateway/cloud/idp/idptest"
)

//go:embed programs
var programs embed.FS

// The npm packages, of one version each.
const (
	oidcProvider = "oidc-provider@9.13.3"
	samlpPackage = "samlp@8.0.0"
	express      = "express@4.21.2"
)

// startTime is how long a provider has to answer.
const startTime = 60 * time.Second

// Provider is one that runs.
type Provider struct {
	URL       string // "http://127.0.0.1:PORT"
	Described string // address of its metadata, or of its discovery document

	t       testing.TB
	dir     string
	port    int
	command []string
	env     []string
	running *exec.Cmd
	output  *bytes.Buffer
}

// OpenID runs npm's oidc-provider, with one redirect address for all clients.
func OpenID(t testing.TB, redirect string) *Provider {
	t.Helper()
	p := newProvider(t, "oidc-provider.mjs", "/.well-known/openid-configuration")
	p.modules(oidcProvider)
	p.command = []string{"node", "oidc-provider.mjs"}
	p.env = []string{"REDIRECT=" + redirect, "NODE_NO_WARNINGS=1"}
	p.Write("people.json", map[string]any{})
	p.start()
	return p
}

// Rotate starts it again with new keys: "soft" keeps the old ones, "hard" does not.
func (p *Provider) Rotate(how string) {
	p.t.Helper()
	p.stop()
	p.env = append(p.env, "ROTATE="+how)
	p.start()
}

// Samlp runs npm's samlp, which answers to one address. Our certificate is what it
// encrypts for; nil: it does not.
func Samlp(t testing.TB, acs string) *Provider {
	t.Helper()
	p := newProvider(t, "samlp.js", "/metadata")
	p.modules(samlpPackage, express)
	p.keys("key.pem", "cert.pem")
	p.command = []string{"node", "samlp.js"}
	p.env = []string{"ACS=" + acs, "NODE_NO_WARNINGS=1"}
	p.Write("people.json", map[string]any{})
	p.Write("answer.json", map[string]any{"signAssertion": true})
	p.start()
	return p
}

// Pysaml2 runs pysaml2, which has two keys.
func Pysaml2(t testing.TB) *Provider {
	t.Helper()
	p := newProvider(t, "pysaml2.py", "/metadata")
	p.keys("key1.pem", "cert1.pem")
	p.keys("key2.pem", "cert2.pem")
	p.command = []string{"/usr/bin/python3", "pysaml2.py"}
	p.Write("people.json", map[string]any{})
	p.Write("answer.json", map[string]any{"sign": "assertion"})
	p.start()
	return p
}

func newProvider(t testing.TB, program, probe string) *Provider {
	t.Helper()
	p := &Provider{t: t, dir: t.TempDir(), output: &bytes.Buffer{}}
	p.program(program)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	p.must(err)
	p.port = l.Addr().(*net.TCPAddr).Port
	p.must(l.Close())
	p.URL = fmt.Sprintf("http://127.0.0.1:%d", p.port)
	p.Described = p.URL + probe
	t.Cleanup(p.stop)
	return p
}

// program writes a program, or all files of a folder of them.
func (p *Provider) program(name string) {
	p.t.Helper()
	p.must(fs.WalkDir(programs, "programs/"+name, func(at string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := programs.ReadFile(at)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(p.dir, filepath.Base(at)), text, 0o600)
	}))
}

func (p *Provider) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// Write writes a JSON file that the provider reads at each request.
func (p *Provider) Write(name string, v any) {
	p.t.Helper()
	b, err := json.Marshal(v)
	p.must(err)
	p.WriteFile(name, b)
}

// WriteFile writes a file beside the provider.
func (p *Provider) WriteFile(name string, b []byte) {
	p.t.Helper()
	p.must(os.WriteFile(filepath.Join(p.dir, name), b, 0o600))
}

// keys makes a key and a certificate, in PEM.
func (p *Provider) keys(key, certificate string) {
	p.t.Helper()
	pair := idptest.NewPair(time.Now().Add(24 * time.Hour))
	p.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pair.PKCS8()}))
	p.WriteFile(certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Cert.Raw}))
}

// modules links the npm packages.
func (p *Provider) modules(packages ...string) {
	p.t.Helper()
	Modules(p.t, p.dir, packages...)
}

func (p *Provider) start() {
	p.t.Helper()
	p.running = exec.Command(p.command[0], p.command[1:]...)
	p.running.Dir = p.dir
	p.running.Env = append(append(os.Environ(), "PORT="+strconv.Itoa(p.port)), p.env...)
	p.running.Stdout, p.running.Stderr = p.output, p.output
	p.must(p.running.Start())
	ctx, cancel := context.WithTimeout(context.Background(), startTime)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.Described, nil)
		p.must(err)
		if answer, err := http.DefaultClient.Do(r); err == nil {
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-ctx.Done():
			p.stop()
			p.t.Fatalf("%v does not answer: run \"make tools\"\n%s", p.command, p.output)
		case <-tick.C:
		}
	}
}

func (p *Provider) stop() {
	if p.running == nil {
		return
	}
	_ = p.running.Process.Kill()
	_ = p.running.Wait() // it was killed
	p.running = nil
}
