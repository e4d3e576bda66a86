package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"

	"ldap-gateway/agent/audit"
	"ldap-gateway/agent/state"
	"ldap-gateway/cloudlink"
	"ldap-gateway/cloudlink/wire"
	"ldap-gateway/configs"
	"ldap-gateway/directory"
)

// records reads an audit file.
func records(t testing.TB, path string) (out []audit.Record) {
	t.Helper()
	b, err := os.ReadFile(path)
	must(t, err)
	for line := range bytes.Lines(b) {
		var r audit.Record
		must(t, json.Unmarshal(line, &r))
		out = append(out, r)
	}
	return out
}

// newHandler joins a desk to an audit file.
func newHandler(t *testing.T, d *desk) (*handler, string) {
	t.Helper()
	folder := state.At(t.TempDir())
	log := auditLog(configs.Audit{}, folder, nil)
	t.Cleanup(func() { must(t, log.Close()) })
	return &handler{signOns: d.SignOns, state: folder, logger: hclog.NewNullLogger(), record: &recorder{log: log, instance: "i1"}, totals: &totals{}},
		filepath.Join(folder.String(), "audit.jsonl")
}

func TestEachRequestIsWrittenDown(t *testing.T) {
	d := newDesk(t, filePolicy())
	h, path := newHandler(t, d)
	bad := staff()
	bad.ID, bad.Name, bad.SearchBase = "bad", "Bad", "dc=elsewhere"
	h.UserTypes(t.Context(), wire.UserTypes{Revision: 1, Types: []wire.UserType{staff(), bad}})
	for i, password := range []string{"wonderland", "a-guess"} {
		id := fmt.Sprint(i)
		h.SignOn(t.Context(), wire.SignOn{ID: id, UserType: "staff", Revision: 1, Identifier: "alice", Want: wire.WantRecord, Password: d.sealer.Seal(id, []byte(password))})
	}
	got := records(t, path)
	if len(got) != 3 || got[0].Instance != "i1" {
		t.Fatalf("%+v", got)
	}
	if u := got[0].UserTypes; u.Accepted != 1 || u.Refused != 1 || u.Types[0].Name != "Bad" || !strings.Contains(u.Types[0].Reasons[0], "search base") || u.Types[1].ID != "staff" {
		t.Errorf("%+v", u)
	}
	if s := got[1].SignOn; s.ID != "0" || s.UserType != "staff" || s.DN != aliceDN || s.Outcome != "ok" || !s.BindSent || s.Verdict != "complete" || s.Groups != 1 {
		t.Errorf("%+v", s)
	}
	if s := got[2].SignOn; s.DN != aliceDN || s.Outcome != "invalidCredentials" || !s.BindSent || s.Verdict != "" {
		t.Errorf("%+v", s)
	}
	b, err := os.ReadFile(path)
	must(t, err)
	if bytes.Contains(b, []byte("wonderland")) || bytes.Contains(b, []byte("a-guess")) {
		t.Error("a password is in the audit file")
	}
}

// panicking is a directory that nobody foresaw.
type panicking struct{ People }

func (panicking) FindUser(context.Context, *directory.UserType, string) (directory.Entry, error) {
	panic("an entry that nobody foresaw")
}

func TestPanicIsWrittenDown(t *testing.T) {
	d := newDesk(t, filePolicy())
	h, path := newHandler(t, d)
	d.People = panicking{d.People}
	func() {
		defer func() { _ = recover() }()
		h.SignOn(t.Context(), wire.SignOn{ID: "1", UserType: "staff", Revision: 1, Want: wire.WantVerify, Password: d.sealer.Seal("1", []byte("x"))})
		t.Error("no panic")
	}()
	if got := records(t, path); len(got) != 1 || got[0].SignOn.Outcome != "unknown" || !got[0].SignOn.BindSent {
		t.Errorf("%+v", got)
	}
}

func TestLinkIsWrittenDown(t *testing.T) {
	h, path := newHandler(t, newDesk(t, filePolicy()))
	r := h.record
	for range 100 {
		r.happened(cloudlink.Event{Kind: cloudlink.EventNotOpened, Err: errors.New(strings.Repeat("x", 1<<20))})
	}
	r.happened(cloudlink.Event{Kind: cloudlink.EventOpened, Node: "n1"})
	r.happened(cloudlink.Event{Kind: cloudlink.EventFrameRefused, Frame: wire.KindHello, Err: errors.New("unexpected")})
	r.happened(cloudlink.Event{Kind: cloudlink.EventBusy, SignOn: wire.SignOn{ID: "7"}})
	r.happened(cloudlink.Event{Kind: cloudlink.EventClosed})
	r.happened(cloudlink.Event{Kind: cloudlink.EventNotOpened, Err: errors.New("refused")})
	got := records(t, path)
	if len(got) != 7+5 || got[6].Link.Times != 64 || len(got[6].Link.Why) > 600 {
		t.Fatalf("%d %+v", len(got), got)
	}
	if got[7].Link.What != "opened" || got[8].Frame.Kind != "hello" || got[9].SignOn.Outcome != "busy" || got[10].Link.What != "closed" || got[11].Link.Times != 1 {
		t.Errorf("%+v", got[7:])
	}
}

// TestAuditFileIsBoundedPerRequest has a cloud deliver as much as it can.
func TestAuditFileIsBoundedPerRequest(t *testing.T) {
	h, path := newHandler(t, newDesk(t, filePolicy()))
	for revision, worst := range []string{"\x00", "\xff", `"`, "\u2028", "<"} {
		m := wire.UserTypes{Revision: uint64(revision + 1)}
		long := strings.Repeat(worst, 2000)
		for i := range 100 {
			m.Types = append(m.Types, wire.UserType{ID: fmt.Sprint(i, long), Name: long, SearchBase: long})
		}
		h.UserTypes(t.Context(), m)
	}
	got := records(t, path)
	if len(got) != 5 || h.record.log.Err() != nil {
		t.Fatalf("%d records, %v", len(got), h.record.log.Err())
	}
	for _, r := range got {
		if r.UserTypes.Refused != 100 || len(r.UserTypes.Types) != audit.MostTypes {
			t.Errorf("%+v", r.UserTypes)
		}
	}
}
