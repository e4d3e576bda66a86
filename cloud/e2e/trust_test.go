package e2e

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ldap-gateway/cloudlink/wire"
)

func TestPairingCodesWorkOnce(t *testing.T) {
	w := newWorld(t, plan{})
	used := w.code()
	w.writeFile("second", plan{})
	if out, code := w.command("second", used, "pair"); code != 0 {
		t.Fatal(out)
	}
	w.writeFile("third", plan{})
	for name, c := range map[string]struct{ code, says string }{
		"used":  {used, "used already"},
		"wrong": {"AAAA-AAAA", "not known"},
		"none":  {"", "no code"},
	} {
		t.Run(name, func(t *testing.T) {
			out, exit := w.command("third", c.code, "pair")
			if exit != 1 || !strings.Contains(out, c.says) || !strings.Contains(out, "console") {
				t.Errorf("%d: %s", exit, out)
			}
			if _, err := os.Stat(filepath.Join(w.dir, "third", "state", "instance.json")); err == nil {
				t.Error("something was kept")
			}
		})
	}
	if out, exit := w.command("second", w.code(), "pair"); exit != 1 || !strings.Contains(out, "--replace") {
		t.Errorf("%d: %s", exit, out)
	}
	if out, exit := w.command("second", w.code(), "pair", "--replace"); exit != 0 {
		t.Errorf("%d: %s", exit, out)
	}
}

// TestCodeShownByTheAgentIsApproved goes the other way round: the machine shows a
// code, and the administrator approves.
func TestCodeShownByTheAgentIsApproved(t *testing.T) {
	w := newWorld(t, plan{})
	w.writeFile("second", plan{})
	p := start(t, filepath.Join(w.dir, "second", "log"), programs+"/ldap-gateway", w.args("second", "pair", "--show-code")...)
	code := strings.Fields(p.line("  code"))[1]
	fingerprint := strings.Fields(p.line("  fingerprint"))[1]
	var i instance
	w.must("POST", "/gateways/"+w.gateway+"/pairings", map[string]any{"code": code, "approve": true}, &i)
	if i.Fingerprint != fingerprint {
		t.Errorf("%s here, %s there", i.Fingerprint, fingerprint)
	}
	p.line("Paired with gateway")
	<-p.ended
	m := &machine{name: "second"}
	w.agents = append(w.agents, m)
	w.runAgent(m)
}

// TestFingerprintIsTheSameOnBothSides compares as an administrator would.
func TestFingerprintIsTheSameOnBothSides(t *testing.T) {
	w := newWorld(t, plan{})
	w.writeFile("second", plan{})
	out, _ := w.command("second", w.code(), "pair")
	both := 0
	for _, i := range w.instances() {
		if strings.Contains(out, i.Fingerprint) && strings.Contains(out, i.ID) {
			both++
		}
	}
	if both != 1 {
		t.Errorf("%s\n%+v", out, w.instances())
	}
}

// TestGuessingCodesIsThrottled guesses as a program would, past the agent.
func TestGuessingCodesIsThrottled(t *testing.T) {
	w := newWorld(t, plan{})
	w.writeFile("second", plan{})
	for range 10 {
		if out, _ := w.command("second", "AAAA-AAAA", "pair"); !strings.Contains(out, "not known") {
			t.Fatal(out)
		}
	}
	out, code := w.command("second", w.code(), "pair")
	if code != 1 || !strings.Contains(out, "too many wrong codes") {
		t.Errorf("a good code right after ten wrong ones: %d %s", code, out)
	}
	body, err := json.Marshal(wire.PairRequest{Code: "AAAA-AAAB"})
	must(t, err)
	resp, err := http.Post(w.url+wire.PathPair, "application/json", bytes.NewReader(body))
	must(t, err)
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get("Retry-After") == "" {
		t.Error(resp.Status, resp.Header)
	}
	w.mustSignOn("alice", "wonderland") // paired instances go on
}

// TestThrottleBehindAProxy has agents come through a proxy that the cloud trusts:
// each is throttled by its own address, which it cannot make up.
func TestThrottleBehindAProxy(t *testing.T) {
	w := newWorld(t, plan{flags: []string{"--trusted-proxy", "127.0.0.1/32"}})
	guess := func(forwarded string) int {
		t.Helper()
		body, err := json.Marshal(pairRequest(t, "AAAA-AAAB"))
		must(t, err)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url+wire.PathPair, bytes.NewReader(body))
		must(t, err)
		req.Header.Set("X-Forwarded-For", forwarded)
		resp, err := http.DefaultClient.Do(req)
		must(t, err)
		defer resp.Body.Close()
		return resp.StatusCode
	}
	for i := range 10 {
		if got := guess(fmt.Sprintf("198.51.100.%d, 203.0.113.1", i)); got != http.StatusForbidden {
			t.Fatalf("guess %d: %d", i, got)
		}
	}
	if got := guess("198.51.100.99, 203.0.113.1"); got != http.StatusTooManyRequests {
		t.Errorf("with another address made up: %d", got)
	}
	if got := guess("203.0.113.2"); got != http.StatusForbidden {
		t.Errorf("from elsewhere: %d", got)
	}
}

// pairRequest is a proven request with a code.
func pairRequest(t *testing.T, code string) wire.PairRequest {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	must(t, err)
	_, seal, err := wire.NewSealKey()
	must(t, err)
	return wire.PairRequest{
		Code:      code,
		PublicKey: public,
		SealKey:   seal,
		Proof:     ed25519.Sign(private, wire.PairProof(code, public, seal)),
	}
}

func TestRevokedInstanceIsCutWithin5Seconds(t *testing.T) {
	w := newWorld(t, plan{})
	w.mustSignOn("alice", "wonderland")
	id := w.instances()[0].ID
	from := time.Now()
	w.must("DELETE", "/gateways/"+w.gateway+"/instances/"+id, nil, nil)
	w.await("it is cut", func() bool {
		for _, i := range w.instances() {
			if i.ID == id && i.Connected {
				return false
			}
		}
		return true
	})
	if d := time.Since(from); d > 5*time.Second {
		t.Errorf("cut after %s", d)
	}
	if r := w.signOn("alice", "wonderland"); r.Outcome != "directoryUnavailable" {
		t.Errorf("%+v", r)
	}
	w.agents[0].stop()
	m := w.agents[0]
	m.process = start(t, filepath.Join(w.dir, "agent1", "log2"), programs+"/ldap-gateway", w.args("agent1", "run")...)
	w.await("it is told why it stays outside", func() bool {
		b, err := os.ReadFile(filepath.Join(w.dir, "agent1", "log2"))
		return err == nil && strings.Contains(string(b), "revoked")
	})
	if !m.running() {
		t.Error("the agent ended")
	}
	// One command makes it an instance again, without touching the file or the process.
	if out, code := w.command("agent1", w.code(), "pair", "--replace"); code != 0 {
		t.Fatal(out)
	}
	w.awaitInstances(1)
	w.mustSignOn("alice", "wonderland")
}

// TestPasswordIsNowhere searches everything that both programs wrote, at the
// most talkative level, for the passwords, plainly and encoded.
func TestPasswordIsNowhere(t *testing.T) {
	w := newWorld(t, plan{update: true})
	for range 3 {
		w.mustSignOn("alice", "wonderland")
		w.signOn("alice", "guess-of-somebody")
		w.signOn("nobody", "guess-of-nobody")
	}
	w.command("agent1", "", "check")
	w.command("agent1", "", "explain", "alice")
	w.agents[0].stop()
	w.cloud.stop()
	all := w.everything()
	for _, secret := range []string{"wonderland", "guess-of-somebody", "guess-of-nobody", w.api.Secret, w.secret} {
		for how, text := range map[string]string{
			"plain":  secret,
			"base64": base64.StdEncoding.EncodeToString([]byte(secret)),
			"hex":    hex.EncodeToString([]byte(secret)),
		} {
			if bytes.Contains(all, []byte(text)) {
				t.Errorf("%q is there, %s", secret, how)
			}
		}
	}
	if !bytes.Contains(all, []byte("alice")) || !bytes.Contains(all, []byte("link is up")) {
		t.Error("the search looks in the wrong place")
	}
	if bytes.Count(all, []byte("=secret")) > 0 {
		t.Error("the service account's password is there")
	}
}
