package agent_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ldap-gateway/agent/agenttest"
	"ldap-gateway/cloudlink/wire"
	"ldap-gateway/configs"
	"ldap-gateway/directory/directorytest"
)

// TestAnswerTooLargeForAFrame: who is in very many groups ends nobody's link.
func TestAnswerTooLargeForAFrame(t *testing.T) {
	var ldif strings.Builder
	ldif.WriteString(agenttest.People)
	for i := range 12_000 {
		fmt.Fprintf(&ldif, "dn: cn=g%05d%s,ou=groups,dc=x\nobjectClass: groupOfNames\ncn: g%05d%s\nmember: uid=bob,ou=people,dc=x\n\n", i, strings.Repeat("n", 180), i, strings.Repeat("n", 180))
	}
	many := directorytest.Start(t, directorytest.LDIF(t, ldif.String()))
	h := startHostile(t, func(g *configs.Gateway) {
		g.Policy.Groups.Max = 20_000
		g.Directory.Servers = []string{many.TLSURL()}
		g.Directory.TLS.RootCAs = many.CA()
	}, nil)
	h.link()
	a := h.deliver(30, agenttest.Staff())
	t.Log(a.Refused)
	m := h.message(func(m *wire.SignOn) { m.Revision, m.Identifier = 30, "bob" })
	m.Password = h.sealer.Seal(m.ID, []byte("builder"))
	answer, err := h.conn.Ask(wire.KindSignOn, 10*time.Second, m)
	agenttest.Must(t, err)
	select {
	case f := <-answer:
		var r wire.SignOnResult
		agenttest.Must(t, f.Decode(&r))
		t.Logf("%s %d groups, %d octets", r.Outcome, len(r.Membership.Groups), len(f.Body))
	case <-h.conn.Over:
		t.Error("the link ended: the answer is larger than a frame may be")
	case <-time.After(20 * time.Second):
		t.Error("no answer")
	}
	if b := many.Binds("uid=bob,ou=people,dc=x"); b != 1 {
		t.Error(b, "binds")
	}
}
