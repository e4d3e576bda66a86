package agent_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ldap-gateway/agent/agenttest"
	"ldap-gateway/cloudlink/cloudlinktest"
	"ldap-gateway/cloudlink/wire"
	"ldap-gateway/configs"
	"ldap-gateway/directory/directorytest"
)

// mark is in every name and value that the file keeps back, and nowhere else.
const mark = "zzkept"

// keptBack are entries that do not leave, in the ways in which one comes near a
// sign-on: as a direct group, a parent, another person, a policy, a place.
const keptBack = `dn: ou=zzkept-place,dc=x
objectClass: organizationalUnit
ou: zzkept-place

dn: cn=zzkept-excluded,ou=groups,dc=x
objectClass: groupOfNames
cn: zzkept-excluded
description: zzkept-description
member: uid=alice,ou=people,dc=x

dn: cn=Tender\2C zzkept,ou=groups,dc=x
objectClass: groupOfNames
cn: Tender, zzkept
member: uid=alice,ou=people,dc=x

dn: cn=zzkept-several+businessCategory=a,ou=groups,dc=x
objectClass: groupOfNames
cn: zzkept-several
businessCategory: a
member: uid=alice,ou=people,dc=x

dn: cn=outside,ou=zzkept-place,dc=x
objectClass: groupOfNames
cn: outside
member: uid=alice,ou=people,dc=x

dn: cn=zzkept-parent,ou=groups,dc=x
objectClass: groupOfNames
cn: zzkept-parent
member: cn=child,ou=groups,dc=x

dn: cn=zzkept-grandparent,ou=groups,dc=x
objectClass: groupOfNames
cn: zzkept-grandparent
member: cn=zzkept-excluded,ou=groups,dc=x

dn: uid=twin,ou=people,dc=x
objectClass: inetOrgPerson
uid: twin
cn: zzkept-one
sn: zzkept
userPassword: twin

dn: cn=zzkept-two,ou=people,dc=x
objectClass: inetOrgPerson
uid: twin
cn: zzkept-two
sn: zzkept
userPassword: twin

`

// tapped is a whole agent whose every message is looked at.
type tapped struct {
	*hostile
	mu    sync.Mutex
	bytes int
	found [][]byte
}

func (p *tapped) see(b []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bytes += len(b)
	if bytes.Contains(bytes.ToLower(b), []byte(mark)) {
		p.found = append(p.found, bytes.Clone(b))
	}
}

// secretive is a file whose own words are kept back, too.
func secretive(t *testing.T, edit func(*configs.Gateway)) func(*configs.Gateway) {
	return func(g *configs.Gateway) {
		g.Policy.Explain, g.Policy.PasswordChanges = true, true
		g.Policy.Groups.Exclude = []string{"cn=" + mark + "*", `cn="tender, ` + mark + `",*`}
		g.Audit.Path = filepath.Join(t.TempDir(), mark, "no", "such", "folder", "audit.jsonl")
		edit(g)
	}
}

// TestNothingKeptBackLeaves makes every request that a cloud can make, against a
// directory full of marked names and servers that answer in every way, and looks
// into every message that the agent sends: none has a name that the file keeps back.
func TestNothingKeptBackLeaves(t *testing.T) {
	for name, c := range map[string]struct {
		edit   func(*configs.Gateway)
		faults func(*directorytest.Server)
	}{
		"well":     {func(*configs.Gateway) {}, func(*directorytest.Server) {}},
		"memberOf": {func(g *configs.Gateway) { g.Directory.GroupsFrom = "memberOf" }, func(s *directorytest.Server) { s.SetMemberOf(directorytest.MemberOfTransitive) }},
		"canary": {func(g *configs.Gateway) {
			g.Directory.CanaryUser, g.Directory.CanaryGroup = "uid=twin,ou=people,dc=x", "cn="+mark+"-excluded,ou=groups,dc=x"
		}, func(*directorytest.Server) {}},
		"observe": {func(g *configs.Gateway) { g.Policy.Observe = true }, func(*directorytest.Server) {}},
		"refusing": {func(*configs.Gateway) {}, func(s *directorytest.Server) {
			text := &directorytest.Result{Code: 50, Text: "no access to cn=" + mark}
			s.SetSearchFault("", directorytest.Fault{Result: text})
			s.SetBindFault("", directorytest.Fault{Result: text})
			s.SetChangeFault("", directorytest.Fault{Result: text})
		}},
		"refusing-binds": {func(*configs.Gateway) {}, func(s *directorytest.Server) {
			text := &directorytest.Result{Code: 53, Text: "80090308: " + mark + ", data 533, v1"}
			s.SetBindFault("", directorytest.Fault{Result: text})
			s.SetChangeFault("", directorytest.Fault{Result: text})
		}},
		"referring": {func(g *configs.Gateway) {
			g.Directory.FollowReferrals, g.Directory.ReferralHosts = true, []string{mark + ".example"}
		}, func(s *directorytest.Server) {
			s.SetSearchFault("", directorytest.Fault{References: []string{"ldap://" + mark + ".example/ou=" + mark + ",dc=x", "ldap:///ou=" + mark + "-place,dc=x"}})
		}},
		"limiting": {func(*configs.Gateway) {}, func(s *directorytest.Server) {
			s.SetSearchFault("dc=x", directorytest.Fault{Result: &directorytest.Result{Code: 4, Text: mark}})
		}},
		"closing": {func(*configs.Gateway) {}, func(s *directorytest.Server) { s.SetSearchFault("", directorytest.Fault{Close: true}) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &tapped{}
			p.hostile = startHostile(t, secretive(t, c.edit), func(cloud *cloudlinktest.Cloud) {
				cloud.Tap, cloud.Heartbeat = p.see, 100*time.Millisecond
			})
			agenttest.Must(t, p.server.LoadLDIF(strings.NewReader(keptBack)))
			p.conn = p.cloud.AwaitLink(t)
			c.faults(p.server)
			p.askEverything()
			<-p.conn.Heartbeats
			<-p.conn.Heartbeats
			p.mu.Lock()
			defer p.mu.Unlock()
			if p.bytes < 1000 {
				t.Errorf("only %d bytes were looked at", p.bytes)
			}
			for _, message := range p.found {
				t.Errorf("%q", message)
			}
		})
	}
}

// askEverything makes each request of the wire, well and badly.
func (p *tapped) askEverything() {
	revision := uint64(10)
	for _, group := range []*wire.GroupRule{{}, {NameAttribute: "employeeNumber"}, {WithID: true}, {SearchBase: "dc=x"}, {Include: []string{"cn=child,*"}}, {NameAttribute: "memberOf"}, {NameAttribute: "memberof;x"}} {
		u := agenttest.Staff()
		u.Groups, u.ChangePasswords = group, true
		greedy := u
		greedy.ID, greedy.SearchBase, greedy.Attributes = "greedy", "dc=elsewhere", []string{"userPassword"}
		nosy, knowing := u, u
		nosy.ID, nosy.Attributes = "nosy", []string{"mail", "MEMBEROF", "memberOf;range=0-1"}
		knowing.ID, knowing.Correlation = "knowing", []string{"entryUUID", "memberOf"}
		revision++
		p.deliver(revision, u, greedy, nosy, knowing)
		at := func(m *wire.SignOn) { m.Revision = revision }
		for _, who := range []string{"alice", "bob", "twin", "nobody", "al*", strings.Repeat("a", 2000)} {
			p.look(revision, p.signOn(at, func(m *wire.SignOn) { m.Identifier = who }).ID)
			p.signOn(at, func(m *wire.SignOn) { m.Identifier, m.Want = who, wire.WantVerify })
			p.signOn(at, func(m *wire.SignOn) {
				m.Identifier, m.Known = who, []wire.Correlation{{Attribute: "entryUUID", Value: agenttest.AliceUUID}}
			})
			p.signOn(at, func(m *wire.SignOn) { m.Identifier, m.Password = who, p.sealer.Seal(m.ID, []byte("wrong")) })
			p.explain(revision, who)
		}
		for _, refused := range []string{"greedy", "nosy", "knowing"} {
			p.signOn(at, func(m *wire.SignOn) { m.UserType = refused })
		}
		p.signOn(func(m *wire.SignOn) { m.Revision, m.UserType = revision, "none" })
		p.change(revision, "alice", "wrong", "looking-glass")
		p.change(revision, "alice", "wonderland", "wonderland")
	}
}

func (p *tapped) explain(revision uint64, who string) {
	p.count++
	p.ask(wire.KindExplain, 5*time.Second,
		wire.Explain{ID: fmt.Sprint("explain-", p.count), UserType: "staff", Revision: revision, Identifier: who})
}

// look asks about groups that leave and that do not, and not in the cloud's own words.
func (p *tapped) look(revision uint64, id string) {
	groups := []wire.LookGroup{
		{DN: "cn=child,ou=groups,dc=x"},
		{DN: "cn=gone,ou=groups,dc=x"},
		{DN: "cn=outside,ou=" + mark + "-place,dc=x"},
		{DN: "x"},
	}
	p.ask(wire.KindLook, 5*time.Second, wire.Look{ID: id, UserType: "staff", Revision: revision, Groups: groups})
}

func (p *tapped) change(revision uint64, who, old, fresh string) {
	p.count++
	id := fmt.Sprint("change-", p.count)
	p.ask(wire.KindChangePassword, 5*time.Second, wire.ChangePassword{
		ID:         id,
		UserType:   "staff",
		Revision:   revision,
		Identifier: who,
		Old:        p.sealer.Seal(wire.OldPassword(id), []byte(old)),
		New:        p.sealer.Seal(wire.NewPassword(id), []byte(fresh)),
	})
}
