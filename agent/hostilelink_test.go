package agent_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ldap-gateway/agent/agenttest"
	"ldap-gateway/agent/audit"
	"ldap-gateway/cloudlink/cloudlinktest"
	"ldap-gateway/cloudlink/wire"
	"ldap-gateway/configs"
)

// closed is a link that ended although neither end had said that it would.
func closed(r audit.Record) bool { return r.Link != nil && r.Link.What == "closed" && r.Link.Why != "" }

func TestHostileOversizedFrame(t *testing.T) {
	play(t, func(h *hostile) {
		_ = h.conn.SendBytes(make([]byte, wire.MaxFrame+1)) // the agent may close before all is sent
		h.over()
	}, closed)
}

func TestHostileTextMessage(t *testing.T) {
	play(t, func(h *hostile) { agenttest.Must(t, h.conn.SendText("hello")); h.over() },
		func(r audit.Record) bool { return r.Frame != nil })
}

// TestHostileFlood asks for more than there are handlers, with sign-ons that
// hold theirs as long as they can.
func TestHostileFlood(t *testing.T) {
	play(t, func(h *hostile) {
		var answers []<-chan wire.Frame
		for range 600 {
			answer, err := h.conn.Ask(wire.KindSignOn, time.Hour, h.message(func(m *wire.SignOn) { m.Revision = 1 << 40 }))
			agenttest.Must(t, err)
			answers = append(answers, answer)
		}
		atOnce := 0
		for _, a := range answers {
			var r wire.SignOnResult
			agenttest.Must(t, (<-a).Decode(&r))
			if r.Outcome != wire.OutcomeBusy || r.BindSent {
				t.Fatalf("%+v", r)
			}
			if r.RetryMillis > 0 {
				atOnce++
			}
		}
		if atOnce < 300 {
			t.Errorf("%d were answered at once", atOnce)
		}
	}, func(r audit.Record) bool { return r.SignOn != nil && strings.Contains(r.SignOn.Reason, "all handlers") })
}

// TestHostileRate has more sign-ons than policy.sign_ons_per_minute.
func TestHostileRate(t *testing.T) {
	t.Parallel()
	// So few that a slow machine asks for more too.
	h := startHostile(t, func(f *configs.Gateway) { f.Policy.SignOnsPerMinute = 1200 }, nil)
	h.link()
	written := h.written()
	var busy atomic.Int64
	for range 1500 { // wrong users: no bind, one search each
		if r := h.signOn(func(m *wire.SignOn) { m.Identifier, m.Revision = "nobody", 20 }); r.Outcome == wire.OutcomeBusy {
			busy.Add(1)
		}
	}
	if n := h.server.Binds(""); n != 1 {
		t.Errorf("%d binds", n)
	}
	if busy.Load() == 0 {
		t.Fatal("none of 1500 at once was too many")
	}
	h.awaitAudit(written, func(r audit.Record) bool {
		return r.SignOn != nil && strings.Contains(r.SignOn.Reason, "policy.sign_ons_per_minute")
	})
}

// TestHostileSlowReader takes requests' answers no more, and goes on asking.
func TestHostileSlowReader(t *testing.T) {
	t.Parallel()
	h := newHostile(t, func(c *cloudlinktest.Cloud) { c.Heartbeat = time.Second })
	h.link()
	asked, written := h.asked(), h.written()
	h.cloud.Deaf.Store(true)
	bad := agenttest.Staff()
	bad.SearchBase = strings.Repeat("x", 3000)
	m := wire.UserTypes{Revision: 21}
	for i := range 1000 {
		bad.ID = fmt.Sprint(i)
		m.Types = append(m.Types, bad)
	}
	for range 200 { // each answer repeats the IDs and says why not; no buffer holds them all
		if h.conn.Send(wire.KindUserTypes, 1, 0, m) != nil {
			break
		}
	}
	h.cloud.Deaf.Store(false)
	h.conn = h.cloud.AwaitLink(t)
	h.awaitAudit(written, closed)
	if n := h.asked() - asked; n != 0 {
		t.Errorf("%d binds and searches", n)
	}
	h.serves("afterwards")
}

// TestHostileGoodbyes has a cloud leave again and again.
func TestHostileGoodbyes(t *testing.T) {
	play(t, func(h *hostile) {
		for range 3 {
			agenttest.Must(t, h.conn.Send(wire.KindGoingAway, 0, 0, wire.GoingAway{Reason: strings.Repeat("x", 1<<20)}))
			h.conn = h.cloud.AwaitLink(t)
		}
	}, func(r audit.Record) bool { return r.Link != nil && r.Link.What == "closed" })
}

// TestHostileGreetings has a cloud open links that are none, before it behaves.
func TestHostileGreetings(t *testing.T) {
	for name, greet := range map[string]func(*cloudlinktest.Conn) bool{
		"version-of-the-future": func(c *cloudlinktest.Conn) bool {
			return c.Send(wire.KindWelcome, 0, 0, wire.Welcome{Version: 99, HeartbeatMillis: 1000}) != nil
		},
		"version-zero":      func(c *cloudlinktest.Conn) bool { return c.Send(wire.KindWelcome, 0, 0, wire.Welcome{}) != nil },
		"sign-on-before-it": func(c *cloudlinktest.Conn) bool { return c.Send(wire.KindSignOn, 1, 0, wire.SignOn{ID: "1"}) != nil },
		"types-before-it":   func(c *cloudlinktest.Conn) bool { return c.Send(wire.KindUserTypes, 1, 0, wire.UserTypes{}) != nil },
		"nonsense":          func(c *cloudlinktest.Conn) bool { return c.SendBytes([]byte("welcome")) != nil },
		"text":              func(c *cloudlinktest.Conn) bool { return c.SendText("welcome") != nil },
		"oversized":         func(c *cloudlinktest.Conn) bool { return c.SendBytes(make([]byte, wire.MaxFrame)) != nil },
		"cut":               func(c *cloudlinktest.Conn) bool { c.Cut(); return false },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var greeted atomic.Int64
			h := newHostile(t, func(c *cloudlinktest.Cloud) {
				c.Greet = func(conn *cloudlinktest.Conn) bool { return greeted.Add(1) > 2 || greet(conn) }
			})
			h.link()
			h.awaitAudit(0, func(r audit.Record) bool { return r.Link != nil && r.Link.What == "refused" && r.Link.Times == 2 })
			if n := h.server.Binds(""); n != 1 || greeted.Load() < 3 {
				t.Errorf("%d binds after %d greetings", n, greeted.Load())
			}
		})
	}
}

// TestHostileRefusals has a cloud, or what is between, answer the dial with
// something else.
func TestHostileRefusals(t *testing.T) {
	var elsewhere atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	t.Cleanup(other.Close)
	for name, answer := range map[string]http.HandlerFunc{
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
		},
		"page": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("<html>Sign in to the guest network</html>"))
		},
		"endless-page": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403); _, _ = w.Write(make([]byte, 32<<20)) },
		"absurd-clock": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(401)
			fmt.Fprint(w, `{"code":"CLOCK","message":"x","time":"9999-01-01T00:00:00Z"}`)
		},
		"clock-of-old": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(401)
			fmt.Fprint(w, `{"code":"CLOCK","message":"x","time":"0001-01-02T00:00:00Z"}`)
		},
		"no-subprotocol": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusSwitchingProtocols) },
		"broken":         func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var dials atomic.Int64
			h := newHostile(t, nil, func(cloud http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if dials.Add(1) <= 3 { // a nonce is asked for in two ways
						answer(w, r)
						return
					}
					cloud.ServeHTTP(w, r)
				})
			})
			h.link()
			h.awaitAudit(0, func(r audit.Record) bool { return r.Link != nil && r.Link.What == "refused" && r.Link.Why != "" })
			if elsewhere.Load() != 0 {
				t.Error("the proof of the instance went somewhere else")
			}
		})
	}
}

// TestHostileSizes has requests of every kind be as large as a message may be, in
// every field, and wait all at once: the gateway keeps what it needs of them.
func TestHostileSizes(t *testing.T) {
	h := newHostile(t, nil)
	h.link()
	big := strings.Repeat("x", 3<<20)
	many := make([]wire.Correlation, 50_000)
	for i := range many {
		many[i] = wire.Correlation{Attribute: "entryUUID", Value: "11111111-1111-1111-1111-111111111111"}
	}
	later := uint64(1 << 40) // so that it is waited for
	good := func(n int) wire.SignOn {
		return h.message(func(m *wire.SignOn) { m.ID, m.Revision = fmt.Sprint("big-", n), later })
	}
	bodies := func(n int) []any {
		id, typ, who, known, password := good(n), good(n), good(n), good(n), good(n)
		id.ID, typ.UserType, who.Identifier, known.Known = big, big, big, many
		password.Password.Ciphertext = []byte(big)
		change := wire.ChangePassword{
			ID:         fmt.Sprint("change-", n),
			UserType:   "staff",
			Revision:   later,
			Identifier: "alice",
			Old:        wire.Sealed{Ciphertext: []byte(big)},
		}
		return []any{
			id,
			typ,
			who,
			known,
			password,
			change,
			wire.Explain{ID: fmt.Sprint("x-", n), UserType: big, Revision: later},
		}
	}
	before := heap()
	for n := range 32 {
		for _, body := range bodies(n) {
			kind := wire.KindSignOn
			switch body.(type) {
			case wire.ChangePassword:
				kind = wire.KindChangePassword
			case wire.Explain:
				kind = wire.KindExplain
			}
			_, err := h.conn.Ask(kind, time.Minute, body)
			agenttest.Must(t, err)
		}
	}
	h.ask(wire.KindExplain, time.Minute, wire.Explain{ID: "last"}) // all before it are read
	if after := heap(); after > before+64<<20 {
		t.Errorf("%d MB are kept", (after-before)>>20)
	}
	h.serves("afterwards")
}

// heap returns the bytes that are in use.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
