package e2e

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// zone is a DNS domain, which has one server.
type zone struct {
	t    testing.TB
	conn net.PacketConn
	port uint16 // of the server
}

const (
	corp     = "corp.example.test."
	corpHost = "dc1." + corp
)

// serveDomain answers at a loopback address of its own until the test ends.
func serveDomain(t *testing.T, address string, port uint16) {
	t.Helper()
	conn, err := net.ListenPacket("udp", net.JoinHostPort(address, "53"))
	must(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	d := &zone{t, conn, port}
	go func() {
		b := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(b)
			if err != nil {
				return
			}
			if answer := d.answer(b[:n]); answer != nil {
				_, _ = conn.WriteTo(answer, from)
			}
		}
	}()
}

// answer is what the domain says; nil to what is no question.
func (d *zone) answer(question []byte) []byte {
	var m dnsmessage.Message
	if m.Unpack(question) != nil || len(m.Questions) != 1 {
		return nil
	}
	q := m.Questions[0]
	out := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: m.ID, Response: true, Authoritative: true},
		Questions: m.Questions,
	}
	add := func(body dnsmessage.ResourceBody) {
		out.Answers = append(out.Answers, dnsmessage.Resource{
			Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 1},
			Body:   body,
		})
	}
	switch {
	case q.Type == dnsmessage.TypeSRV && strings.EqualFold(q.Name.String(), "_ldap._tcp."+corp):
		add(&dnsmessage.SRVResource{Port: d.port, Target: dnsmessage.MustNewName(corpHost)})
	case q.Type == dnsmessage.TypeA && strings.EqualFold(q.Name.String(), corpHost):
		add(&dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}})
	case !strings.EqualFold(q.Name.String(), corpHost):
		out.RCode = dnsmessage.RCodeNameError
	}
	b, err := out.Pack()
	if err != nil {
		return nil
	}
	return b
}

// TestSetupFindsTheDomain has somebody type a domain: its servers come from DNS, a
// certificate of another name is shown and pinned, and people can sign on.
func TestSetupFindsTheDomain(t *testing.T) {
	w := newWorld(t, plan{})
	w.agents[0].stop()
	w.agents = nil
	_, text, _ := net.SplitHostPort(strings.TrimPrefix(w.slapd.URL(), "ldap://"))
	port, err := strconv.ParseUint(text, 10, 16)
	must(t, err)
	const dns = "127.83.5.1"
	serveDomain(t, dns, uint16(port))
	resolv := filepath.Join(w.dir, "resolv.conf")
	must(t, os.WriteFile(resolv, []byte("nameserver "+dns+"\noptions attempts:1 timeout:2\n"), 0o644))
	w.runWith = []string{"unshare", "--mount", "sh", "-c", `mount --bind ` + resolv + ` /etc/resolv.conf && exec ` + programs + `/ldap-gateway "$@"`, "sh"}

	typed := []string{w.url, strings.TrimSuffix(corp, "."), "yes", "", w.at.bindDN, w.at.password, w.code(), "yes"}
	out, code := w.command("found", strings.Join(typed, "\n")+"\n", "setup")
	if code != 0 || !strings.Contains(out, "ldap://dc1.corp.example.test:"+text+" shows this certificate") || !strings.Contains(out, "trusted  NO: ") {
		t.Fatalf("%d\n%s", code, out)
	}
	file, err := os.ReadFile(filepath.Join(w.dir, "found", "gateway.hcl"))
	must(t, err)
	if !bytes.Contains(file, []byte(`discover = "corp.example.test"`)) || !bytes.Contains(file, []byte(`pin         = ["sha256:`)) {
		t.Errorf("%s", file)
	}
	m := &machine{name: "found"}
	w.agents = append(w.agents, m)
	w.runAgent(m)
	w.mustSignOn("alice", "wonderland")
}

// TestInterruptedSetup has Ctrl-C leave nothing, and a set-up that was cut off
// after the file was written be finished by running it again.
func TestInterruptedSetup(t *testing.T) {
	w := newWorld(t, plan{})
	cmd := exec.CommandContext(context.Background(), programs+"/ldap-gateway", w.args("cut", "setup")...)
	in, err := cmd.StdinPipe()
	must(t, err)
	var out bytes.Buffer
	told := &awaited{to: &out, text: []byte("service account"), seen: make(chan struct{})}
	cmd.Stdout = told
	must(t, cmd.Start())
	_, err = in.Write([]byte(w.url + "\n" + w.at.url + "\n" + w.at.caFile + "\n\n"))
	must(t, err)
	<-told.seen
	must(t, cmd.Process.Signal(syscall.SIGINT))
	if err := cmd.Wait(); err == nil {
		t.Error("an interrupted set-up has succeeded")
	}
	if _, err := os.Stat(filepath.Join(w.dir, "cut")); !os.IsNotExist(err) {
		t.Errorf("something is left: %v", err)
	}

	flags := []string{"setup", "--yes", "--cloud", w.url, "--server", w.at.url, "--directory-ca", w.at.caFile, "--bind-dn", w.at.bindDN, "--bind-password-file", filepath.Join(w.dir, "agent1", "bind.password")}
	wrong := filepath.Join(w.dir, "wrong-code")
	must(t, os.WriteFile(wrong, []byte("AAAA-AAAA\n"), 0o600))
	if out, code := w.command("cut", "", append(flags, "--code-file", wrong)...); code != 1 || !strings.Contains(out, "not paired") {
		t.Errorf("%d\n%s", code, out)
	}
	right := filepath.Join(w.dir, "right-code")
	must(t, os.WriteFile(right, []byte(w.code()+"\n"), 0o600))
	if out, code := w.command("cut", "", "setup", "--yes", "--code-file", right); code != 0 || !strings.Contains(out, "Paired with") {
		t.Errorf("%d\n%s", code, out)
	}
	if _, err := os.Stat(filepath.Join(w.dir, "cut", "gateway.hcl.old")); err == nil {
		t.Error("the file that was right is kept as an old one")
	}
}

// awaited closes seen once a text has been written. Its writes come one at a time.
type awaited struct {
	to   *bytes.Buffer
	text []byte
	seen chan struct{}
}

func (a *awaited) Write(p []byte) (int, error) {
	before := bytes.Contains(a.to.Bytes(), a.text)
	n, err := a.to.Write(p)
	if !before && bytes.Contains(a.to.Bytes(), a.text) {
		close(a.seen)
	}
	return n, err
}
