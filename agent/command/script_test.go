package command

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"ldap-gateway/agent/agenttest"
	"ldap-gateway/cloud/api/client"
	cloud "ldap-gateway/cloud/command"
	"ldap-gateway/directory/slapdtest"
)

// TestMain makes the test binary the program, for the scripts.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"ldap-gateway": func() { os.Exit(Main(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) },
	})
}

// TestScripts plays the command line as it is typed, beside a real slapd and a
// real cloud: SERVER, CA, CLOUD and the command "code" are theirs.
func TestScripts(t *testing.T) {
	slapd := slapdtest.Start(t, slapdtest.Config{})
	c := startCloud(t)
	testscript.Run(t, testscript.Params{Dir: "testdata/script", RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("SERVER", slapd.TLSURL())
			env.Setenv("CLOUD", c.api.URL)
			if err := answers(env.WorkDir, slapd.TLSURL(), c.api.URL); err != nil {
				return err
			}
			ca, err := os.ReadFile(slapd.CAFile())
			if err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(env.WorkDir, "ca.pem"), ca, 0o600)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"code": c.code},
	})
}

// realCloud is an ldap-cloud with one gateway.
type realCloud struct {
	api     *client.Client
	gateway string
}

func startCloud(t *testing.T) *realCloud {
	t.Helper()
	var out, problems bytes.Buffer
	dir := filepath.Join(t.TempDir(), "cloud")
	if code := cloud.Main(t.Context(), []string{"init", "--data", dir, "--name", "Test", "--json"}, &out, &problems); code != 0 {
		t.Fatal(problems.String())
	}
	var made struct{ EnvironmentID, ClientID, ClientSecret string }
	agenttest.Must(t, json.Unmarshal(out.Bytes(), &made))
	c := &realCloud{
		api: &client.Client{
			URL:         runCloud(t, dir),
			Environment: made.EnvironmentID,
			ID:          made.ClientID,
			Secret:      made.ClientSecret,
		},
	}
	var g struct{ ID string }
	agenttest.Must(
		t,
		c.api.Do(
			t.Context(),
			"POST",
			"/gateways",
			map[string]any{"name": "HQ", "type": "LDAP", "enabled": true, "vendor": "OpenLDAP"},
			&g,
		),
	)
	c.gateway = g.ID
	return c
}

// runCloud serves until the test ends, and returns the URL.
func runCloud(t *testing.T, dir string) string {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	lines, to := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		ended <- cloud.Main(ctx, []string{"run", "--data", dir, "--listen", "127.0.0.1:0"}, to, io.Discard)
		_ = to.Close()
	}()
	t.Cleanup(func() {
		stop()
		go func() { _, _ = io.Copy(io.Discard, lines) }()
		if code := <-ended; code != 0 {
			t.Error("the cloud ended with", code)
		}
	})
	for s := bufio.NewScanner(lines); s.Scan(); {
		if url, ok := strings.CutPrefix(s.Text(), "ldap-cloud is ready: "); ok {
			return strings.TrimSpace(url)
		}
	}
	t.Fatal("the cloud did not get ready")
	return ""
}

// code writes a pairing code into a file, after its other arguments, a line each.
func (c *realCloud) code(ts *testscript.TestScript, _ bool, args []string) {
	var p struct{ Code string }
	ts.Check(c.api.Do(context.Background(), "POST", "/gateways/"+c.gateway+"/pairings", struct{}{}, &p))
	path := ts.MkAbs(args[0])
	before, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		ts.Check(err)
	}
	ts.Check(
		os.WriteFile(path,
			[]byte(strings.ReplaceAll(string(before), "CODE", p.Code)+map[bool]string{true: p.Code + "\n"}[len(before) == 0]),
			0o600),
	)
}

// answers writes what somebody types at "ldap-gateway setup".
func answers(dir, server, cloud string) error {
	const reader = "cn=reader,dc=example,dc=test"
	for name, lines := range map[string][]string{
		"short": {cloud, server},
		"no":    {cloud, server, "yes", "", reader, "secret", "later", "no"},
		"asked": {"back", "http://127.0.0.1:1", "", "", cloud, // the first two are for a proxy and an authority
			server, "yes", "dc=example", "back", // from the account to the base
			"dc=example,dc=test", reader, "guess", reader, "secret",
			"later", "back", "CODE", "yes"},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
			return err
		}
	}
	return nil
}
