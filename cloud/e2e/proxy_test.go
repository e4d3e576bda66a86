package e2e

import (
	"bytes"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

// proxy stands between an agent and a directory and cuts connections when told.
type proxy struct {
	url    string
	target string
	t      testing.TB

	mu     sync.Mutex
	wanted []string // texts that a request must have for the cut
	answer int      // bytes of the answer that still come through; with wanted
	always bool     // cut at each such request, not only at the first
	cut    bool     // wanted was seen
	open   map[net.Conn]bool
}

func startProxy(t *testing.T, target string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	p := &proxy{
		url:    "ldap://" + l.Addr().String(),
		target: strings.TrimPrefix(target, "ldap://"),
		t:      t,
		open:   map[net.Conn]bool{},
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(c)
		}
	}()
	t.Cleanup(func() { _ = l.Close(); p.closeAll() })
	return p
}

// cutAfterRequest passes on the next request that has all the texts, and cuts
// before its answer.
func (p *proxy) cutAfterRequest(texts ...string) { p.arm(0, false, texts) }

// cutInAnswer passes on every request that has the text, and cuts after so many
// bytes of its answer.
func (p *proxy) cutInAnswer(text string, bytes int) { p.arm(bytes, true, []string{text}) }

func (p *proxy) arm(answer int, always bool, texts []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wanted, p.answer, p.always, p.cut = texts, answer, always, false
}

// heal lets everything through again.
func (p *proxy) heal() { p.arm(0, false, nil) }

func (p *proxy) serve(agent net.Conn) {
	directory, err := net.Dial("tcp", p.target)
	if err != nil {
		_ = agent.Close()
		return
	}
	p.mu.Lock()
	p.open[agent], p.open[directory] = true, true
	p.mu.Unlock()
	cutting := make(chan struct{})
	var once sync.Once
	go func() {
		defer directory.Close()
		b := make([]byte, 64<<10)
		for {
			n, err := agent.Read(b)
			if err != nil {
				return
			}
			if p.seen(b[:n]) {
				once.Do(func() { close(cutting) })
			}
			if _, err := directory.Write(b[:n]); err != nil {
				return
			}
		}
	}()
	defer agent.Close()
	b := make([]byte, 64<<10)
	for {
		n, err := directory.Read(b)
		if err != nil {
			return
		}
		select {
		case <-cutting:
			p.mu.Lock()
			n = min(n, p.answer)
			p.mu.Unlock()
			_, _ = io.Copy(agent, bytes.NewReader(b[:n]))
			return
		default:
		}
		if _, err := agent.Write(b[:n]); err != nil {
			return
		}
	}
}

// seen tells whether the request is the one to cut at; it is so once.
func (p *proxy) seen(request []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.wanted) == 0 || p.cut && !p.always {
		return false
	}
	for _, text := range p.wanted {
		if !bytes.Contains(request, []byte(text)) {
			return false
		}
	}
	p.cut = true
	return true
}

func (p *proxy) closeAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.open {
		_ = c.Close()
	}
}
