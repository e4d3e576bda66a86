package agent

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"ldap-gateway/agent/agenttest"
	"ldap-gateway/agent/audit"
	"ldap-gateway/cloudlink"
	"ldap-gateway/cloudlink/wire"
)

// TestCloudCannotFlushTheAudit has a cloud do one thing that it would rather hide,
// and then everything that costs it nothing, as fast as it can.
func TestCloudCannotFlushTheAudit(t *testing.T) {
	d := newDesk(t)
	h, path := aHandler(t, d)
	evil := wire.SignOn{ID: "evil-one", UserType: "staff", Revision: 1, Identifier: "alice", Want: wire.WantRecord}
	evil.Password = d.sealer.Seal(evil.ID, []byte("wonderland"))
	h.SignOn(t.Context(), evil)
	long := strings.Repeat("x", 2000)
	types := make([]wire.UserType, 100)
	for i := range types {
		types[i] = wire.UserType{ID: fmt.Sprint(i, long), Name: long, SearchBase: long}
	}
	for n := range 5000 {
		h.UserTypes(t.Context(), wire.UserTypes{Revision: uint64(n), Types: types[:n%5]})
		h.happened(cloudlink.Event{Kind: cloudlink.EventFrameRefused, Err: errors.New(long)})
		h.happened(
			cloudlink.Event{Kind: cloudlink.EventBusy, Frame: wire.KindSignOn, SignOn: wire.SignOn{ID: long, UserType: long}},
		)
		h.happened(cloudlink.Event{Kind: cloudlink.EventNotOpened, Err: errors.New(long)})
		h.SignOn(t.Context(), wire.SignOn{ID: fmt.Sprint(n, long), UserType: long})
		h.ChangePassword(t.Context(), wire.ChangePassword{ID: fmt.Sprint(n, long), UserType: long})
		h.Explain(t.Context(), wire.Explain{ID: fmt.Sprint(n, long), UserType: long})
		h.Look(t.Context(), wire.Look{ID: fmt.Sprint(n, long), UserType: long})
		h.happened(cloudlink.Event{Kind: cloudlink.EventBusy, Frame: wire.KindLook, Look: wire.Look{ID: long}})
	}
	h.UserTypes(t.Context(), wire.UserTypes{Revision: 5000, Types: []wire.UserType{agenttest.Staff()}})
	for n := range 5000 { // as of somebody whom nobody is
		h.SignOn(t.Context(), wire.SignOn{ID: fmt.Sprint(n), UserType: "staff", Want: wire.WantVerify, Identifier: long})
	}
	info, err := os.Stat(path)
	agenttest.Must(t, err)
	if info.Size() > 6<<20 {
		t.Errorf("%d KB for 50,000 requests", info.Size()>>10)
	}
	all := agenttest.Records(t, path)
	if all[0].SignOn == nil || all[0].SignOn.ID != "evil-one" {
		t.Errorf("%+v", all[0])
	}
	h.SignOn(
		t.Context(),
		wire.SignOn{
			ID:         "after",
			UserType:   "staff",
			Revision:   1,
			Identifier: "nobody",
			Want:       wire.WantVerify,
			Password:   d.sealer.Seal("after", []byte("x")),
		},
	)
	all = agenttest.Records(t, path)
	if last := all[len(all)-1]; !told(last) {
		t.Errorf("what asked the directory is not written: %+v", last)
	}
}

func told(r audit.Record) bool { return r.SignOn != nil && r.SignOn.ID == "after" }
