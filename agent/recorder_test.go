package agent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"

	"ldap-gateway/agent/agenttest"
	"ldap-gateway/agent/audit"
	"ldap-gateway/agent/health"
	"ldap-gateway/agent/policy"
	"ldap-gateway/agent/signon"
	"ldap-gateway/agent/state"
	"ldap-gateway/cloudlink"
	"ldap-gateway/cloudlink/wire"
	"ldap-gateway/configs"
	"ldap-gateway/directory"
	"ldap-gateway/directory/directorytest"
)

// desk is sign-ons on a directory in the process.
type desk struct {
	*signon.Service
	sealer *wire.Sealer
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	server := directorytest.Start(t, directorytest.LDIF(t, agenttest.People))
	client, err := directory.Open(
		directory.Config{Servers: []string{server.TLSURL()}, BaseDN: "dc=x", TLS: directory.TLS{RootCAs: server.CA()}},
	)
	agenttest.Must(t, err)
	t.Cleanup(func() { agenttest.Must(t, client.Close()) })
	rules, err := policy.New(agenttest.Policy())
	agenttest.Must(t, err)
	private, public, err := wire.NewSealKey()
	agenttest.Must(t, err)
	opener, err := wire.NewOpener("i1", private)
	agenttest.Must(t, err)
	sealer, err := wire.NewSealer("i1", public)
	agenttest.Must(t, err)
	d := &desk{sealer: sealer, Service: &signon.Service{
		People:  client,
		Policy:  rules,
		Opener:  opener,
		Stats:   signon.NewStats(),
		Guard:   &signon.Guard{},
		Seen:    &signon.Replays{},
		Persons: &signon.Persons{},
		Changes: &signon.Deliveries{},
		Logger:  hclog.NewNullLogger(),
	}}
	if a := d.UserTypes(wire.UserTypes{Revision: 1, Types: []wire.UserType{agenttest.Staff()}}); len(a.Refused) != 0 {
		t.Fatal(a.Refused)
	}
	return d
}

// aHandler joins a desk to an audit file.
func aHandler(t *testing.T, d *desk) (*handler, string) {
	t.Helper()
	folder := state.At(t.TempDir())
	log := auditLog(configs.Audit{}, folder, nil)
	t.Cleanup(func() { agenttest.Must(t, log.Close()) })
	h := newHandler(d.Service, folder, hclog.NewNullLogger(), newRecorder(log, "i1"), &health.Totals{})
	return h, filepath.Join(folder.String(), "audit.jsonl")
}

func TestEachRequestIsWrittenDown(t *testing.T) {
	d := newDesk(t)
	h, path := aHandler(t, d)
	bad := agenttest.Staff()
	bad.ID, bad.Name, bad.SearchBase = "bad", "Bad", "dc=elsewhere"
	h.UserTypes(t.Context(), wire.UserTypes{Revision: 1, Types: []wire.UserType{agenttest.Staff(), bad}})
	for i, password := range []string{"wonderland", "a-guess"} {
		id := fmt.Sprint(i)
		h.SignOn(
			t.Context(),
			wire.SignOn{
				ID:         id,
				UserType:   "staff",
				Revision:   1,
				Identifier: "alice",
				Want:       wire.WantRecord,
				Password:   d.sealer.Seal(id, []byte(password)),
			},
		)
	}
	got := agenttest.Records(t, path)
	if len(got) != 3 || got[0].Instance != "i1" {
		t.Fatalf("%+v", got)
	}
	if u := got[0].UserTypes; u.Accepted != 1 || u.Refused != 1 || u.Types[0].Name != "Bad" ||
		!strings.Contains(u.Types[0].Reasons[0], "search base") ||
		u.Types[1].ID != "staff" {
		t.Errorf("%+v", u)
	}
	if s := got[1].SignOn; s.ID != "0" || s.UserType != "staff" || s.DN != agenttest.AliceDN || s.Outcome != "ok" ||
		!s.BindSent ||
		s.Verdict != "complete" ||
		s.Groups != 1 {
		t.Errorf("%+v", s)
	}
	if s := got[2].SignOn; s.DN != agenttest.AliceDN || s.Outcome != "invalidCredentials" || !s.BindSent ||
		s.Verdict != "" {
		t.Errorf("%+v", s)
	}
	b, err := os.ReadFile(path)
	agenttest.Must(t, err)
	if bytes.Contains(b, []byte("wonderland")) || bytes.Contains(b, []byte("a-guess")) {
		t.Error("a password is in the audit file")
	}
}

// panicking is a directory that nobody foresaw.
type panicking struct{ signon.People }

func (panicking) FindUser(context.Context, *directory.UserType, string) (directory.Entry, error) {
	panic("an entry that nobody foresaw")
}

func TestPanicIsWrittenDown(t *testing.T) {
	d := newDesk(t)
	h, path := aHandler(t, d)
	d.People = panicking{d.People}
	func() {
		defer func() { _ = recover() }()
		h.SignOn(
			t.Context(),
			wire.SignOn{
				ID:       "1",
				UserType: "staff",
				Revision: 1,
				Want:     wire.WantVerify,
				Password: d.sealer.Seal("1", []byte("x")),
			},
		)
		t.Error("no panic")
	}()
	if got := agenttest.Records(t, path); len(got) != 1 || got[0].SignOn.Outcome != "unknown" || !got[0].SignOn.BindSent {
		t.Errorf("%+v", got)
	}
}

func TestLinkIsWrittenDown(t *testing.T) {
	h, path := aHandler(t, newDesk(t))
	r := h.record
	for range 100 {
		r.happened(cloudlink.Event{Kind: cloudlink.EventNotOpened, Err: errors.New(strings.Repeat("x", 1<<20))})
	}
	r.happened(cloudlink.Event{Kind: cloudlink.EventOpened, Node: "n1"})
	r.happened(cloudlink.Event{Kind: cloudlink.EventFrameRefused, Frame: wire.KindHello, Err: errors.New("unexpected")})
	r.happened(cloudlink.Event{Kind: cloudlink.EventBusy, SignOn: wire.SignOn{ID: "7"}})
	r.happened(cloudlink.Event{Kind: cloudlink.EventClosed})
	r.happened(cloudlink.Event{Kind: cloudlink.EventNotOpened, Err: errors.New("refused")})
	got := agenttest.Records(t, path)
	if len(got) != 7+5 || got[6].Link.Times != 64 || len(got[6].Link.Why) > 600 {
		t.Fatalf("%d %+v", len(got), got)
	}
	if got[7].Link.What != "opened" || got[8].Frame.Kind != "hello" || got[9].SignOn.Outcome != "busy" ||
		got[10].Link.What != "closed" ||
		got[11].Link.Times != 1 {
		t.Errorf("%+v", got[7:])
	}
}

// TestAuditFileIsBoundedPerRequest has a cloud deliver as much as it can.
func TestAuditFileIsBoundedPerRequest(t *testing.T) {
	h, path := aHandler(t, newDesk(t))
	for revision, worst := range []string{"\x00", "\xff", `"`, "\u2028", "<"} {
		m := wire.UserTypes{Revision: uint64(revision + 1)}
		long := strings.Repeat(worst, 2000)
		for i := range 100 {
			m.Types = append(m.Types, wire.UserType{ID: fmt.Sprint(i, long), Name: long, SearchBase: long})
		}
		h.UserTypes(t.Context(), m)
	}
	got := agenttest.Records(t, path)
	if len(got) != 5 || h.record.log.Err() != nil {
		t.Fatalf("%d records, %v", len(got), h.record.log.Err())
	}
	for _, r := range got {
		if r.UserTypes.Refused != 100 || len(r.UserTypes.Types) != audit.MostTypes {
			t.Errorf("%+v", r.UserTypes)
		}
	}
}
