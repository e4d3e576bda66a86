package health

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"runtime/pprof"
	"strings"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"

	"ldap-gateway/agent/state"
)

// ErrNotRunning says that no gateway runs with a state folder.
var ErrNotRunning = errors.New("the gateway does not run, or runs as another user or with another state folder")

// Serve answers at the control socket that the state folder has and, when metricsAt
// is not empty, on that loopback port. Neither being possible stops nothing.
func (m *Monitor) Serve(ctx context.Context, folder state.Folder, metricsAt string, logger hclog.Logger) (stop func()) {
	var servers []*http.Server
	serve := func(l net.Listener, h http.Handler) {
		s := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, MaxHeaderBytes: 16 << 10,
			BaseContext: func(net.Listener) context.Context { return ctx }}
		servers = append(servers, s)
		go func() { _ = s.Serve(l) }()
	}
	if l, token, err := listenControl(ctx, folder); err == nil {
		serve(l, guarded(token, m.ownRoutes()))
	} else {
		logger.Warn("\"ldap-gateway status\" will not find this gateway", "error", err)
	}
	if metricsAt != "" {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", metricsAt)
		if err == nil {
			serve(l, m.routes())
			logger.Info("health and metrics are served", "address", l.Addr())
		} else {
			why := err.Error()
			m.metrics.Store(&why)
			logger.Error("metrics.listen", "error", err)
		}
	}
	return func() {
		for _, s := range servers {
			_ = s.Close()
		}
	}
}

// routes is what is served on the loopback port. Texts of problems are not:
// whoever is on the machine may ask.
func (m *Monitor) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /live", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "live") })
	mux.HandleFunc("GET /ready", func(w http.ResponseWriter, _ *http.Request) {
		s := m.Status()
		if !s.Ready {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		fmt.Fprintln(w, map[bool]string{true: "ready", false: "not ready"}[s.Ready])
		for _, p := range s.Problems {
			fmt.Fprintf(w, "%s: %s\n", p.Severity, p.Code)
		}
	})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		var text strings.Builder
		m.Status().writeMetrics(&text)
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_, _ = w.Write([]byte(text.String()))
	})
	return mux
}

// guarded lets those in who know the token; everybody who came this far when there
// is none.
func guarded(token string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte(token)) != 1 {
			http.Error(w, "the token is in the state folder", http.StatusForbidden)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// ownRoutes is what is served at the control socket, to the gateway's own account and to root.
func (m *Monitor) ownRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", m.serveStatus)
	mux.HandleFunc("POST /reload", m.serveReload)
	mux.HandleFunc("GET /goroutines", func(w http.ResponseWriter, _ *http.Request) {
		_ = pprof.Lookup("goroutine").WriteTo(w, 2)
	})
	return mux
}

// serveReload answers once the file is in use or refused.
func (m *Monitor) serveReload(w http.ResponseWriter, r *http.Request) {
	done := make(chan error, 1)
	select {
	case m.reloads <- done:
	case <-r.Context().Done():
		return
	}
	if err := <-done; err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	m.serveStatus(w, r)
}

func (m *Monitor) serveStatus(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(m.Status())
}

// Ask asks the gateway that runs with a state folder; ErrNotRunning when
// none does.
func Ask(ctx context.Context, folder state.Folder) (s Status, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return s, Request(
		ctx,
		folder,
		http.MethodGet,
		"/status",
		func(body io.Reader) error { return json.NewDecoder(body).Decode(&s) },
	)
}

// notRunning is ErrNotRunning, with what is in the way when that is more than that nobody answers.
func notRunning(err error) error {
	var dialled *net.OpError
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED):
		return ErrNotRunning
	case errors.As(err, &dialled):
		return fmt.Errorf("%w: %w", ErrNotRunning, dialled.Err)
	}
	return fmt.Errorf("%w: %w", ErrNotRunning, err)
}

// Request makes one request at the control socket. Errors: ErrNotRunning, and what the
// gateway says instead of an answer.
func Request(ctx context.Context, folder state.Folder, method, path string, take func(io.Reader) error) error {
	transport := &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialControl(ctx, folder)
		},
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://gateway"+path, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", controlToken(folder))
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return notRunning(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
		return errors.Join(errors.New(strings.TrimSpace(string(text))), err)
	}
	return take(resp.Body)
}
