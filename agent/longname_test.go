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

// TestOneLongGroupName: a group whose name attribute is long ends nobody's link.
func TestOneLongGroupName(t *testing.T) {
	ldif := agenttest.People + fmt.Sprintf("dn: cn=long,ou=groups,dc=x\nobjectClass: groupOfNames\ncn: long\ndescription: %s\nmember: uid=bob,ou=people,dc=x\n\n", strings.Repeat("d", 5<<20))
	many := directorytest.Start(t, directorytest.LDIF(t, ldif))
	h := startHostile(t, func(g *configs.Gateway) {
		g.Directory.Servers = []string{many.TLSURL()}
		g.Directory.TLS.RootCAs = many.CA()
	}, nil)
	h.link()
	u := agenttest.Staff()
	u.Groups = &wire.GroupRule{NameAttribute: "description"}
	t.Log(h.deliver(30, u).Refused)
	m := h.message(func(m *wire.SignOn) { m.Revision, m.Identifier = 30, "bob" })
	m.Password = h.sealer.Seal(m.ID, []byte("builder"))
	answer, err := h.conn.Ask(wire.KindSignOn, 10*time.Second, m)
	agenttest.Must(t, err)
	select {
	case f := <-answer:
		t.Logf("%d octets", len(f.Body))
	case <-h.conn.Over:
		t.Error("the link ended: the answer is larger than a frame may be")
	case <-time.After(20 * time.Second):
		t.Error("no answer")
	}
}
