package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ldap-gateway/directory/directorytest"
)

// secured is what a cloud over TLS has, and who trusts it.
type secured struct {
	ca, cert, key string // files
	client        *http.Client
}

// secure makes a certificate for the names, from an authority of its own.
func secure(t *testing.T, names ...string) *secured {
	t.Helper()
	authority, err := directorytest.NewAuthority()
	must(t, err)
	issued, err := authority.Issue(names, nil)
	must(t, err)
	cert, key, err := directorytest.CertificatePEM(issued)
	must(t, err)
	dir := t.TempDir()
	s := &secured{ca: dir + "/ca.pem", cert: dir + "/cert.pem", key: dir + "/key.pem"}
	for path, b := range map[string][]byte{s.ca: authority.PEM, s.cert: cert, s.key: key} {
		must(t, os.WriteFile(path, b, 0o600))
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority.PEM)
	s.client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	t.Cleanup(s.client.CloseIdleConnections)
	return s
}

// nameServer answers one name with one address, or not at all.
type nameServer struct {
	conn net.PacketConn

	mu     sync.Mutex
	answer net.IP // nil: it fails
	silent bool
}

// startNameServer listens on port 53 of an address of its own, which needs root.
func startNameServer(t *testing.T, address string) *nameServer {
	t.Helper()
	conn, err := net.ListenPacket("udp", address+":53")
	must(t, err)
	s := &nameServer{conn: conn}
	t.Cleanup(func() { _ = conn.Close() })
	go s.serve()
	return s
}

func (s *nameServer) set(answer string, silent bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer, s.silent = net.ParseIP(answer).To4(), silent
}

func (s *nameServer) serve() {
	for b := make([]byte, 1500); ; {
		n, from, err := s.conn.ReadFrom(b)
		if err != nil {
			return
		}
		s.mu.Lock()
		answer, silent := s.answer, s.silent
		s.mu.Unlock()
		if reply := dnsReply(b[:n], answer); !silent && reply != nil {
			_, _ = s.conn.WriteTo(reply, from)
		}
	}
}

// dnsReply answers a question (RFC 1035 section 4.1) for an address, for one
// second; with a server failure when there is none. Nil for what is no question.
func dnsReply(question []byte, answer net.IP) []byte {
	end := 12 // of the name
	for end < len(question) && question[end] != 0 {
		end += int(question[end]) + 1
	}
	if end+5 > len(question) {
		return nil
	}
	reply := append([]byte{}, question[:end+5]...)
	binary.BigEndian.PutUint16(reply[2:], 0x8180) // a response, recursion was wanted and is there
	copy(reply[6:], make([]byte, 6))              // no records but the question
	if answer == nil {
		reply[3] |= 2 // server failure
		return reply
	}
	if binary.BigEndian.Uint16(question[end+1:]) == 1 { // A
		reply[7] = 1
		reply = append(reply, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4)
		reply = append(reply, answer...)
	}
	return reply
}

// TestNamesUnderLoad has the agent know its cloud by a name only. Its name server
// fails, is silent, and then has another address, while people sign on. The agent
// runs in a mount namespace with an /etc/resolv.conf of its own.
func TestNamesUnderLoad(t *testing.T) {
	net24 := fmt.Sprintf("127.%d.%d.", 100+rand.IntN(100), rand.IntN(250))
	names := startNameServer(t, net24+"53")
	resolv := filepath.Join(t.TempDir(), "resolv.conf")
	must(t, os.WriteFile(resolv, []byte("nameserver "+net24+"53\noptions timeout:1 attempts:1\n"), 0o644))
	first := startCableAt(t, net24+"1:0")
	_, port, _ := net.SplitHostPort(first.listener.Addr().String())
	second := startCableAt(t, net24+"2:"+port)
	first.name = "cloud.example.test"
	names.set(net24+"1", false)
	w := &world{
		t:       t,
		dir:     t.TempDir(),
		cable:   first,
		secure:  secure(t, "cloud.example.test", "127.0.0.1"),
		update:  true,
		runWith: []string{"unshare", "--mount", "sh", "-c", `mount --bind "$0" /etc/resolv.conf && exec "$@"`, resolv, programs + "/ldap-gateway"},
	}
	w.at = *w.startSlapd(plan{}.slapd)
	w.initCloud()
	w.startCloud("127.0.0.1:0")
	second.target = first.target
	w.makeGateway(nil)
	w.addAgent("agent1", plan{policy: unlimited})
	signedOn := w.mustSignOn("alice", "wonderland")
	l, end := w.startLoad(4)
	var report strings.Builder
	for _, f := range []fault{
		{"name-server-fails", 2 * time.Second, func() { names.set("", false); first.cut(false) }, func() { names.set(net24+"1", false) }},
		{"name-server-silent", 2 * time.Second, func() { names.set("", true); first.cut(false) }, func() { names.set(net24+"1", false) }},
		{"another-address", 0, func() { names.set(net24+"2", false); _ = first.listener.Close(); first.cut(false) }, nil},
	} {
		w.goThrough(f, l, &report)
	}
	w.await("the agent is at the new address", func() bool { return second.carries() > 0 })
	l.awaitMore(w, 20)
	end()
	t.Logf("\n%s%v", &report, l.outcomes)
	w.checkAfterFaults(signedOn, l)
}
