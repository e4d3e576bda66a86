package e2e

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// unzipped is every file of a zip by its name.
func unzipped(t *testing.T, path string) map[string]string {
	t.Helper()
	z, err := zip.OpenReader(path)
	must(t, err)
	defer z.Close()
	out := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		must(t, err)
		b, err := io.ReadAll(r)
		must(t, err)
		out[f.Name] = string(b)
	}
	return out
}

// keysOf returns the private keys of an agent, in each form that somebody might
// write them.
func (w *world) keysOf(name string) (all []string) {
	w.t.Helper()
	b, err := os.ReadFile(filepath.Join(w.dir, name, "state", "instance.json"))
	must(w.t, err)
	var stored struct {
		Keys struct{ Ed25519, Xwing []byte }
	}
	must(w.t, json.Unmarshal(b, &stored))
	for _, key := range [][]byte{stored.Keys.Ed25519, stored.Keys.Ed25519[:32], stored.Keys.Xwing} {
		if len(key) < 32 {
			w.t.Fatal("no keys read")
		}
		all = append(all, string(key), base64.StdEncoding.EncodeToString(key), fmt.Sprintf("%x", key), fmt.Sprint(key))
	}
	return all
}

// TestDiagnosisHasNoSecret puts secrets everywhere and searches the zip for each.
func TestDiagnosisHasNoSecret(t *testing.T) {
	w := newWorld(t, plan{})
	w.mustSignOn("alice", "wonderland")
	w.signOn("alice", "wrong-Rabbit-7")
	file := filepath.Join(w.dir, "agent1", "gateway.hcl")
	good, err := os.ReadFile(file)
	must(t, err)
	secrets := append(w.keysOf("agent1"), "wonderland", "wrong-Rabbit-7", "proxy-Dodo-9", "literal-Hatter-3", "comment-Queen-5", w.api.Secret)
	text := strings.Replace(string(good), "cloud {", "cloud {\n  proxy = \"http://cat:proxy-Dodo-9@127.0.0.1:1\" # was comment-Queen-5\n", 1)
	from, to, _ := strings.Cut(text, "password = file(")
	_, to, _ = strings.Cut(to, "\n")
	text = from + "password = \"literal-Hatter-3\"\n// comment-Queen-5\n/* comment-Queen-5\n */\n" + to
	must(t, os.WriteFile(file, []byte(text), 0o600))
	if out, code := w.command("agent1", "", "reload"); code != 0 { // the agent uses all of it, and logs that at "trace"
		t.Fatal(out)
	}
	zip := filepath.Join(w.dir, "out.zip")
	out, code := w.command("agent1", "", "diagnose", "--output", zip, "--log", filepath.Join(w.dir, "agent1", "log"))
	if code != 0 {
		t.Fatal(out)
	}
	files := unzipped(t, zip)
	for name, has := range map[string]string{
		"gateway.hcl":    "ca_file",
		"check.txt":      "FAIL",
		"status.json":    `"problems"`,
		"goroutines.txt": "agent.(*Instance).Run",
		"versions.txt":   "ldap-gateway 0.",
		"state.txt":      "instance.json",
		"log.txt":        "",
		"log-1.txt":      "sign-on:",
	} {
		if text, ok := files[name]; !ok || !strings.Contains(text, has) {
			t.Errorf("%s has no %q:\n%.2000s", name, has, text)
		}
	}
	for name, text := range files {
		for _, secret := range secrets {
			if strings.Contains(text, secret) {
				t.Errorf("%s has the secret %q", name, secret)
			}
		}
	}
	if _, code := w.command("agent1", "", "diagnose", "--output", zip); code == 0 {
		t.Error("a file that was there is overwritten")
	}
	w.diagnosesABrokenFile(t, file, text, secrets)
}

// diagnosesABrokenFile does the same where no value can be taken from the file.
func (w *world) diagnosesABrokenFile(t *testing.T, file, text string, secrets []string) {
	t.Helper()
	must(t, os.WriteFile(file, []byte(text+"\n}}}"), 0o600))
	zip := filepath.Join(w.dir, "broken.zip")
	if out, code := w.command("agent1", "", "diagnose", "--output", zip); code != 0 {
		t.Fatal(out)
	}
	for name, text := range unzipped(t, zip) {
		for _, secret := range secrets {
			if bytes.Contains([]byte(text), []byte(secret)) {
				t.Errorf("%s of a broken file has the secret %q", name, secret)
			}
		}
	}
}
