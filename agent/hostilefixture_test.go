package agent_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ldap-gateway/agent/agenttest"
	"ldap-gateway/agent/audit"
	"ldap-gateway/agent/state"
	"ldap-gateway/cloudlink/cloudlinktest"
	"ldap-gateway/cloudlink/wire"
	"ldap-gateway/configs"
	"ldap-gateway/directory/directorytest"
)

// hostile is a whole agent over real sockets, between a directory that counts
// and a cloud that lies.
type hostile struct {
	t      *testing.T
	server *directorytest.Server
	cloud  *cloudlinktest.Cloud
	conn   *cloudlinktest.Conn
	seal   []byte // the instance's public key
	sealer *wire.Sealer
	audit  string
	state  state.Folder
	file   *configs.Gateway
	stop   context.CancelFunc
	ended  chan error
	count  int
}

// newHostile starts the agent and has it serve one sign-on. change alters the
// cloud before it serves, front what is before it.
func newHostile(t *testing.T, change func(*cloudlinktest.Cloud), front ...func(http.Handler) http.Handler) *hostile {
	t.Helper()
	return startHostile(t, func(*configs.Gateway) {}, change, front...)
}

// startHostile is newHostile with another file.
func startHostile(
	t *testing.T, edit func(*configs.Gateway), change func(*cloudlinktest.Cloud), front ...func(http.Handler) http.Handler,
) *hostile {
	t.Helper()
	h := &hostile{
		t:      t,
		server: directorytest.Start(t, directorytest.LDIF(t, agenttest.People)),
		cloud:  &cloudlinktest.Cloud{},
	}
	if change != nil {
		change(h.cloud)
	}
	u := h.cloud.Serve(t, front...)
	folder := state.At(t.TempDir())
	h.state = folder
	h.audit = filepath.Join(folder.String(), "audit.jsonl")
	h.cloud.Key, h.seal = agenttest.Pair(t, folder, u.String())
	var err error
	h.sealer, err = wire.NewSealer(agenttest.Instance, h.seal)
	agenttest.Must(t, err)
	file := &configs.Gateway{
		Cloud:  configs.Cloud{URL: u},
		Policy: agenttest.Policy(),
		Audit:  configs.Audit{MaxSize: 10 << 20, Keep: 5},
		Directory: configs.Directory{
			Servers:    []string{h.server.TLSURL()},
			BaseDN:     "dc=x",
			GroupsFrom: "search",
			Timeout:    5 * time.Second,
			TLS:        configs.TLS{RootCAs: h.server.CA()},
		},
	}
	file.Policy.SearchBases = []string{"ou=people,dc=x"}
	file.Policy.Groups.SearchBases = []string{"ou=groups,dc=x"}
	edit(file)
	h.file = file
	h.run()
	t.Cleanup(func() {
		if h.conn != nil {
			h.conn.Cut() // this cloud does not play its part in a farewell
		}
		h.stop()
		agenttest.Must(t, <-h.ended)
	})
	return h
}

// link waits for the link, delivers the user type and makes a sign-on: the
// directory's root DSE is read by then.
func (h *hostile) link() {
	h.t.Helper()
	h.conn = h.cloud.AwaitLink(h.t)
	h.serves("before")
}

// serves makes a well-behaved cloud's requests.
func (h *hostile) serves(when string) {
	h.t.Helper()
	select {
	case err := <-h.ended:
		h.t.Fatalf("%s: the agent ended: %v", when, err)
	case <-h.conn.Over:
		h.conn = h.cloud.AwaitLink(h.t)
	default:
	}
	if a := h.deliver(20, agenttest.Staff()); len(a.Refused) != 0 {
		h.t.Fatalf("%s: %+v", when, a)
	}
	if r := h.signOn(func(m *wire.SignOn) { m.Revision = 20 }); r.Outcome != wire.OutcomeOK || !r.BindSent ||
		r.Entry.DN != agenttest.AliceDN {
		h.t.Fatalf("%s: %+v", when, r)
	}
}

func (h *hostile) ask(kind wire.Kind, budget time.Duration, body any) wire.Frame {
	h.t.Helper()
	answer, err := h.conn.Ask(kind, budget, body)
	agenttest.Must(h.t, err)
	select {
	case f := <-answer:
		return f
	case <-h.conn.Over:
		h.t.Fatalf("the link ended before the answer to %s", kind)
	case <-time.After(20 * time.Second):
		h.t.Fatalf("no answer to %s", kind)
	}
	return wire.Frame{}
}

func (h *hostile) deliver(revision uint64, types ...wire.UserType) (a wire.UserTypesAnswer) {
	h.t.Helper()
	agenttest.Must(h.t, h.ask(wire.KindUserTypes, 0, wire.UserTypes{Revision: revision, Types: types}).Decode(&a))
	return a
}

// message is a good sign-on, with a new ID, altered by change; a password that
// change leaves alone is sealed for it afterwards.
func (h *hostile) message(change ...func(*wire.SignOn)) wire.SignOn {
	h.count++
	m := wire.SignOn{
		ID:         fmt.Sprint("sign-on-", h.count),
		UserType:   "staff",
		Revision:   1,
		Identifier: "alice",
		Want:       wire.WantRecord,
	}
	m.Password = h.sealer.Seal(m.ID, []byte("wonderland"))
	for _, f := range change {
		f(&m)
	}
	return m
}

func (h *hostile) signOn(change ...func(*wire.SignOn)) (r wire.SignOnResult) {
	h.t.Helper()
	agenttest.Must(h.t, h.ask(wire.KindSignOn, 5*time.Second, h.message(change...)).Decode(&r))
	return r
}

// asked counts binds and searches.
func (h *hostile) asked() int { return h.server.Binds("") + h.server.Searches() }

// awaitAudit waits for a line, from the given one on, that is what is wanted.
func (h *hostile) awaitAudit(from int, want func(audit.Record) bool) {
	h.t.Helper()
	limit := time.Now().Add(20 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		all := agenttest.Records(h.t, h.audit)
		for _, r := range all[from:] {
			if want(r) {
				return
			}
		}
		if time.Now().After(limit) {
			h.t.Fatalf("not in the audit file: %+v", all[from:])
		}
		<-tick.C
	}
}

// written is how many lines the audit file has.
func (h *hostile) written() int {
	if _, err := os.Stat(h.audit); err != nil {
		return 0
	}
	return len(agenttest.Records(h.t, h.audit))
}

// over waits for the end of the link.
func (h *hostile) over() {
	h.t.Helper()
	select {
	case <-h.conn.Over:
	case <-time.After(20 * time.Second):
		h.t.Fatal("the link is still there")
	}
}
