package e2e

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"
	"time"
)

// balancer stands in front of the nodes of a cloud as a real one does: it asks
// each node's /ready all the time, sends requests in turn to those that say yes,
// and tries another only when the connection is refused, so that nothing was
// sent. It opens a connection for each request.
type balancer struct {
	server *httptest.Server
	nodes  []string // addresses, the same all the time

	mu   sync.Mutex
	good map[string]bool
	turn int
}

// startBalancer returns one that knows no node yet.
func startBalancer(t *testing.T) *balancer {
	t.Helper()
	b := &balancer{good: map[string]bool{}}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: "cloud"})
			r.Out.Host = r.In.Host
			r.SetXForwarded()
		},
		Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return b.dial(ctx) },
		},
		ErrorLog: log.New(io.Discard, "", 0),
	}
	b.server = httptest.NewServer(proxy)
	ctx, stop := context.WithCancel(context.Background())
	var asking sync.WaitGroup
	asking.Go(func() { b.ask(ctx) })
	t.Cleanup(func() { stop(); asking.Wait(); b.server.CloseClientConnections(); b.server.Close() })
	return b
}

// ask keeps up which nodes are ready.
func (b *balancer) ask(ctx context.Context) {
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for ctx.Err() == nil {
		for _, n := range b.all() {
			resp, err := client.Get("http://" + n + "/ready")
			if err == nil {
				_ = resp.Body.Close()
			}
			b.mu.Lock()
			b.good[n] = err == nil && resp.StatusCode == http.StatusOK
			b.mu.Unlock()
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

func (b *balancer) add(node string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.nodes = append(b.nodes, node)
}

func (b *balancer) all() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.nodes
}

// ready counts the nodes that are.
func (b *balancer) ready() (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, good := range b.good {
		if good {
			n++
		}
	}
	return n
}

// dial connects to the next ready node that does not refuse.
func (b *balancer) dial(ctx context.Context) (net.Conn, error) {
	err := errors.New("no node is ready")
	for _, n := range b.inTurn() {
		var conn net.Conn
		if conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", n); err == nil {
			return conn, nil
		}
	}
	return nil, err
}

func (b *balancer) inTurn() (nodes []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.turn++
	for i := range b.nodes {
		if n := b.nodes[(b.turn+i)%len(b.nodes)]; b.good[n] {
			nodes = append(nodes, n)
		}
	}
	return nodes
}
