package cloudlink_test

import (
	"testing"
	"testing/synctest"
	"time"

	"ldap-gateway/cloudlink"
	"ldap-gateway/cloudlink/cloudlinktest"
	"ldap-gateway/cloudlink/wire"
)

func askChange(t *testing.T, c *cloudlinktest.Conn, id string) <-chan wire.Frame {
	t.Helper()
	return asked(t, c, wire.KindChangePassword, time.Second, wire.ChangePassword{ID: id})
}

func changed(t *testing.T, f wire.Frame) wire.PasswordChanged {
	t.Helper()
	return decoded[wire.PasswordChanged](t, f, wire.KindPasswordChanged)
}

// TestChangeIsAnswered also when the handler ends in a panic, or none is free.
func TestChangeIsAnswered(t *testing.T) {
	for name, c := range map[string]struct {
		handler *slowHandler
		want    wire.PasswordChanged
	}{
		"done":  {&slowHandler{}, wire.PasswordChanged{ID: "c1", Outcome: wire.OutcomeOK}},
		"panic": {&slowHandler{panics: true}, wire.PasswordChanged{ID: "c1", Outcome: wire.OutcomeUnknown, BindSent: true}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn := start(t, &cloudlinktest.Cloud{}, c.handler).cloud.AwaitLink(t)
				r := changed(t, <-askChange(t, conn, "c1"))
				r.Reason = ""
				if r != c.want {
					t.Errorf("%+v", r)
				}
			})
		})
	}
}

// TestChangesAndSignOnsShareTheHandlers: one bound for both.
func TestChangesAndSignOnsShareTheHandlers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &slowHandler{release: make(chan struct{})}
		var told []cloudlink.Event
		conn := start(t, &cloudlinktest.Cloud{}, h, func(l *cloudlink.Link) {
			l.Handlers = 1
			l.Watch = func(e cloudlink.Event) {
				if e.Kind == cloudlink.EventBusy {
					told = append(told, e)
				}
			}
		}).cloud.AwaitLink(t)
		first := ask(t, conn, "s1", time.Minute)
		synctest.Wait()
		if r := changed(t, <-askChange(t, conn, "c1")); r.Outcome != wire.OutcomeBusy || r.BindSent || r.RetryMillis == 0 {
			t.Errorf("%+v", r)
		}
		close(h.release)
		result(t, <-first)
		if len(told) != 1 || told[0].Frame != wire.KindChangePassword || told[0].Change.ID != "c1" {
			t.Errorf("%+v", told)
		}
	})
}
