package signon

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"

	"ldap-gateway/agent/agenttest"
	"ldap-gateway/cloudlink/wire"
)

// TestRefusalsAreLoggedNowAndThen has a cloud send everything that is refused before it
// costs anything, and deliver user types that are: few lines are written, with how many
// were not, and each sign-on that was none of them.
func TestRefusalsAreLoggedNowAndThen(t *testing.T) {
	d := newDesk(t, agenttest.Policy())
	var log bytes.Buffer
	d.Logger = hclog.New(&hclog.LoggerOptions{Output: &log})
	long := strings.Repeat("x", 3000)
	const rounds = 1000
	over, end := context.WithCancel(t.Context())
	end()
	for n := range rounds {
		id := fmt.Sprint(n)
		d.ask(id, "alice", "wonderland", func(m *wire.SignOn) { m.UserType = long })
		d.ask(id, "alice", "wonderland", func(m *wire.SignOn) { m.ID = "" })
		d.ask(id, "alice", "wonderland", func(m *wire.SignOn) { m.Password.Ciphertext = nil })
		d.ChangePassword(t.Context(), wire.ChangePassword{ID: id, UserType: long})
		d.Explain(t.Context(), wire.Explain{ID: id, UserType: long})
		d.Look(t.Context(), wire.Look{ID: id, UserType: long})
		d.ask(id, long, "wonderland") // as somebody whom nobody is
		d.ask(id, "alice", "\x00")    // as with a wrong password
		d.SignOn(over, wire.SignOn{ID: id, UserType: "staff", Revision: 1, Identifier: "alice", Want: wire.WantVerify})
		d.UserTypes(wire.UserTypes{Revision: 1, Types: []wire.UserType{agenttest.Staff(), {ID: "bad", SearchBase: long}}})
	}
	if n := strings.Count(log.String(), "\n20"); n > 3*firstLines || n < firstLines { // each begins with the year
		t.Errorf("%d lines for %d requests", n, 10*rounds)
	}
	log.Reset()
	if r := d.ask("good", "alice", "wonderland"); r.Outcome != wire.OutcomeOK || !strings.Contains(log.String(), "good") {
		t.Errorf("%+v is not in the log: %s", r, log.String())
	}
}

func TestLinesLeftOutAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l lines
		written, left := 0, int64(0)
		write := func() {
			l.write(func(more ...any) {
				written++
				if len(more) == 2 {
					left += more[1].(int64)
				}
			})
		}
		for range 10 * firstLines {
			write()
		}
		time.Sleep(linesInterval)
		write()
		if written != firstLines+1 || left != 9*firstLines {
			t.Errorf("%d written, %d left out", written, left)
		}
	})
}
