package cloud

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
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

	"github.com/hashicorp/go-hclog"
)

// selfSigned writes a new certificate for a name into files.
func selfSigned(t *testing.T, name, cert, key string) {
	t.Helper()
	certificateFor(t, name, cert, key, time.Time{}, time.Now().Add(time.Hour))
}

// certificateFor is selfSigned for one that is good from a time until another.
func certificateFor(t *testing.T, name, cert, key string, from, until time.Time) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	must(t, err)
	template := &x509.Certificate{
		SerialNumber:          serial,
		DNSNames:              []string{name},
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore:             from,
		NotAfter:              until,
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	must(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	must(t, err)
	must(t, os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	must(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), 0o600))
}

func freePort(t *testing.T, network string) int {
	t.Helper()
	if network == "udp" {
		c, err := net.ListenPacket("udp", "127.0.0.1:0")
		must(t, err)
		defer c.Close()
		return c.LocalAddr().(*net.UDPAddr).Port
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// startPebble starts a real maker of certificates, which looks for every name at
// 127.0.0.1 and for proof at a port. It returns the address of its directory, and
// the file with its authority.
func startPebble(t *testing.T, tlsPort int) (directory, ca string) {
	t.Helper()
	dir := t.TempDir()
	ca, key := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "key.pem")
	selfSigned(t, "localhost", ca, key)
	address, dns := fmt.Sprintf("127.0.0.1:%d", freePort(t, "tcp")), fmt.Sprintf("127.0.0.1:%d", freePort(t, "udp"))
	config, err := json.Marshal(map[string]any{"pebble": map[string]any{
		"listenAddress":                  address,
		"managementListenAddress":        fmt.Sprintf("127.0.0.1:%d", freePort(t, "tcp")),
		"certificate":                    ca,
		"privateKey":                     key,
		"httpPort":                       1,
		"tlsPort":                        tlsPort,
		"ocspResponderURL":               "",
		"externalAccountBindingRequired": false,
	}})
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "config.json"), config, 0o600))
	run := func(name string, args ...string) {
		c := exec.Command(name, args...)
		c.Env = append(os.Environ(), "PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=0")
		var said bytes.Buffer
		c.Stdout, c.Stderr = &said, &said
		must(t, c.Start())
		t.Cleanup(func() {
			_ = c.Process.Kill()
			_ = c.Wait()
			if t.Failed() {
				t.Logf("%s\n%s", name, &said)
			}
		})
	}
	run(
		"pebble-challtestsrv",
		"-defaultIPv4", "127.0.0.1",
		"-defaultIPv6", "",
		"-dns01", dns,
		"-http01", "",
		"-https01", "",
		"-tlsalpn01", "",
		"-management", fmt.Sprintf("127.0.0.1:%d", freePort(t, "tcp")),
	)
	run("pebble", "-config", filepath.Join(dir, "config.json"), "-dnsserver", dns)
	for t.Context().Err() == nil {
		if c, err := net.Dial("tcp", address); err == nil {
			_ = c.Close()
			break
		}
	}
	return "https://" + address + "/dir", ca
}

// served returns the certificate that a server has for a name.
func served(t *testing.T, address, name string) (*x509.Certificate, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	c, err := (&tls.Dialer{Config: &tls.Config{
		ServerName:         name,
		InsecureSkipVerify: true,
	}}).DialContext(ctx, "tcp", address) // whose it is is looked at below
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return c.(*tls.Conn).ConnectionState().PeerCertificates[0], nil
}

// A certificate is had from a real maker, kept sealed, and there after a restart.
func TestACME(t *testing.T) {
	port := freePort(t, "tcp")
	directory, ca := startPebble(t, port)
	data := t.TempDir() + "/cloud"
	_, err := Init(t.Context(), InFolder(data), "", "E", "https://id.example.test")
	must(t, err)
	run := func() (stop func()) {
		ready, ended := make(chan string, 1), make(chan error, 1)
		s := &Server{
			Database: InFolder(data),
			Listen:   fmt.Sprintf("127.0.0.1:%d", port),
			URLs:     []string{"https://id.example.test"},
			ACME:     &ACME{Directory: directory, CAFile: ca},
			Logger:   hclog.NewNullLogger(),
			Ready:    func(u string) { ready <- u },
		}
		ctx, cancel := context.WithCancel(context.Background())
		go func() { ended <- s.Run(ctx) }()
		select {
		case <-ready:
		case err := <-ended:
			t.Fatal(err)
		}
		return func() { cancel(); must(t, <-ended) }
	}
	address := fmt.Sprintf("127.0.0.1:%d", port)
	stop := run()
	first, err := served(t, address, "id.example.test")
	if err != nil || !strings.Contains(first.Issuer.CommonName, "Pebble") || first.DNSNames[0] != "id.example.test" {
		t.Fatalf("%+v, %v", first, err)
	}
	if c, err := served(t, address, "other.example.test"); err == nil {
		t.Errorf("a certificate for a name that is not ours: %s", c.Subject)
	}
	stop()
	stop = run()
	again, err := served(t, address, "id.example.test")
	stop()
	if err != nil || again.SerialNumber.Cmp(first.SerialNumber) != 0 {
		t.Errorf("after a restart it is another: %v", err)
	}
	for _, file := range []string{"ldap-cloud.db", "ldap-cloud.db-wal"} {
		if b, err := os.ReadFile(filepath.Join(data, file)); err == nil && bytes.Contains(b, []byte("PRIVATE KEY")) {
			t.Errorf("%s has a key in the clear", file)
		}
	}
	if _, err := newACME(ACME{}, []string{"http://id.example.test"}); err == nil {
		t.Error("ACME without a name")
	}
}

// A certificate that is renewed in its files is in use without a restart; one that
// is being written is not.
func TestCertificateFilesAreReadAgain(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	selfSigned(t, "one", cert, key)
	c, err := newCertificateFiles(cert, key, hclog.NewNullLogger())
	must(t, err)
	names := func() string {
		c.looked = time.Time{}
		pair, err := c.get(nil)
		must(t, err)
		return pair.Leaf.DNSNames[0]
	}
	if names() != "one" {
		t.Error(names())
	}
	selfSigned(t, "two", cert, key)
	later := time.Now().Add(time.Minute)
	must(t, os.Chtimes(cert, later, later))
	if names() != "two" {
		t.Error(names())
	}
	must(t, os.WriteFile(cert, []byte("half of it"), 0o600))
	if names() != "two" {
		t.Error(names())
	}
	if _, err := newCertificateFiles(cert, key, hclog.NewNullLogger()); err == nil {
		t.Error("nonsense is a certificate")
	}
}
