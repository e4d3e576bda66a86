package audit_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ldap-gateway/cloud/audit"
	"ldap-gateway/cloud/store"
)

// syslogd is a real rsyslogd, which writes what it is told into a file.
type syslogd struct {
	t                *testing.T
	dir              string
	plain, encrypted string // addresses
}

// certificate writes a certificate for localhost that is its own authority.
func certificate(t *testing.T, dir string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	c := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "localhost"},
		DNSNames:              []string{"localhost"},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	must(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	for name, b := range map[string]*pem.Block{
		"cert.pem": {Type: "CERTIFICATE", Bytes: der},
		"key.pem":  {Type: "PRIVATE KEY", Bytes: private},
	} {
		must(t, os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(b), 0o600))
	}
}

// free returns a port that nobody listens on.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	must(t, err)
	return port
}

func startSyslogd(t *testing.T) *syslogd {
	t.Helper()
	s := &syslogd{t: t, dir: t.TempDir()}
	certificate(t, s.dir)
	plain, encrypted := free(t), free(t)
	s.plain, s.encrypted = "syslog+tcp://localhost:"+plain, "syslog+tls://localhost:"+encrypted
	config := fmt.Sprintf(`
		global(workDirectory=%[1]q DefaultNetstreamDriverCAFile="%[1]s/cert.pem" DefaultNetstreamDriverCertFile="%[1]s/cert.pem"
			DefaultNetstreamDriverKeyFile="%[1]s/key.pem" maxMessageSize="8k")
		module(load="imtcp")
		input(type="imtcp" port=%[2]q address="127.0.0.1")
		input(type="imtcp" port=%[3]q address="127.0.0.1" streamdriver.name="gtls" streamdriver.mode="1" streamdriver.authmode="anon")
		template(name="all" type="string" string="%%pri%%|%%app-name%%|%%msgid%%|%%msg%%\n")
		action(type="omfile" file="%[1]s/told" template="all")
	`, s.dir, plain, encrypted)
	must(t, os.WriteFile(s.dir+"/rsyslog.conf", []byte(config), 0o600))
	cmd := exec.Command("rsyslogd", "-n", "-f", s.dir+"/rsyslog.conf", "-i", s.dir+"/pid")
	out := &strings.Builder{}
	cmd.Stdout, cmd.Stderr = out, out
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(out)
		}
	})
	for _, port := range []string{plain, encrypted} {
		s.await("it listens", func() bool {
			conn, err := net.Dial("tcp", "127.0.0.1:"+port)
			if err == nil {
				_ = conn.Close()
			}
			return err == nil
		})
	}
	return s
}

func (s *syslogd) await(what string, done func() bool) {
	s.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); !done(); <-tick.C {
		if time.Now().After(deadline) {
			s.t.Fatal("not within 20 s: " + what)
		}
	}
}

// told returns the lines that were written.
func (s *syslogd) told() []string {
	b, err := os.ReadFile(s.dir + "/told")
	if err != nil {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
}

// A real receiver gets each activity whole, by TLS and on the same machine without, and a
// receiver whose certificate nobody trusts gets nothing.
func TestRsyslog(t *testing.T) {
	s := startSyslogd(t)
	for _, url := range []string{s.plain, s.encrypted} {
		before := len(s.told())
		target, err := audit.Parse(url, "", s.dir+"/cert.pem")
		must(t, err)
		b := start(t)
		node := b.node()
		node.Target = target
		must(t, node.Look(t.Context()))
		for i := range 500 {
			b.happens(0, fmt.Sprintf("%d ä\n\x00 %s", i, strings.Repeat("x", i*20)))
		}
		b.later()
		must(t, node.Look(t.Context()))
		s.await("all are written", func() bool { return len(s.told()) >= before+500 })
		for i, line := range s.told()[before:] {
			head, body, _ := strings.Cut(line, "|{")
			var l audit.Line
			if err := json.Unmarshal([]byte("{"+body), &l); err != nil || head != "110|ldap-cloud|x" {
				t.Fatalf("%v in %q", err, line)
			}
			if want := fmt.Sprintf("%d ä\n", i); !strings.HasPrefix(l.Text, want) {
				t.Errorf("%q is at %d", l.Text, i)
			}
		}
	}
	stranger, err := audit.Parse(s.encrypted, "", "")
	must(t, err)
	before := len(s.told())
	if stranger.Send(t.Context(), []store.Activity{{ID: "1"}}, time.Now()) == nil || len(s.told()) != before {
		t.Error("a certificate of nobody's is trusted")
	}
}
