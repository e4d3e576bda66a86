// Package agenttest holds what the agent's tests share: a small directory's
// content, the user type and the policy that fit it, and the state folder of a
// paired machine.
//
// Used by tests alone.
package agenttest

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"os"
	"testing"
	"time"

	"ldap-gateway/agent/audit"
	"ldap-gateway/agent/state"
	"ldap-gateway/cloudlink/wire"
	"ldap-gateway/configs"
)

// People is a directory below dc=x with Alice, Bob, and Alice's one direct group,
// which is in another group.
const People = `dn: dc=x
objectClass: domain
dc: x

dn: ou=people,dc=x
objectClass: organizationalUnit
ou: people

dn: ou=groups,dc=x
objectClass: organizationalUnit
ou: groups

dn: uid=alice,ou=people,dc=x
objectClass: inetOrgPerson
uid: alice
cn: Alice
sn: Archer
mail: alice@x.test
entryUUID: 11111111-1111-1111-1111-111111111111
userPassword: wonderland

dn: uid=bob,ou=people,dc=x
objectClass: inetOrgPerson
uid: bob
cn: Bob
sn: Builder
entryUUID: 22222222-2222-2222-2222-222222222222
userPassword: builder

dn: cn=child,ou=groups,dc=x
objectClass: groupOfNames
cn: child
member: uid=alice,ou=people,dc=x

dn: cn=parent,ou=groups,dc=x
objectClass: groupOfNames
cn: parent
member: cn=child,ou=groups,dc=x

`

// Names in People.
const (
	AliceDN   = "uid=alice,ou=people,dc=x"
	AliceUUID = "11111111-1111-1111-1111-111111111111"
	BobUUID   = "22222222-2222-2222-2222-222222222222"
)

// Instance is the ID of the instance that Pair makes.
const Instance = "instance-1"

// Must ends the test when err is not nil.
func Must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Records reads an audit file.
func Records(t testing.TB, path string) (out []audit.Record) {
	t.Helper()
	b, err := os.ReadFile(path)
	Must(t, err)
	for line := range bytes.Lines(b) {
		var r audit.Record
		Must(t, json.Unmarshal(line, &r))
		out = append(out, r)
	}
	return out
}

// Staff is a user type that finds everybody in People.
func Staff() wire.UserType {
	return wire.UserType{
		ID:          "staff",
		Name:        "Staff",
		SearchBase:  "ou=people,dc=x",
		Filter:      "(&(objectClass=inetOrgPerson)(uid=${identifier}))",
		Correlation: []string{"entryUUID"},
		Attributes:  []string{"uid", "sn", "mail"},
		Groups:      &wire.GroupRule{},
	}
}

// Policy lets Staff be served.
func Policy() configs.Policy {
	return configs.Policy{
		SearchBases:      []string{"dc=x"},
		SignOnsPerMinute: 6000,

		UserTypeChangesPerHour: 1_000_000,

		Groups: configs.GroupPolicy{SearchBases: []string{"dc=x"}, Max: 5000},
	}
}

// Pair makes the state folder of a machine that is paired with a cloud, and
// returns the instance's public keys: that which it signs with, and that which is
// sealed for.
func Pair(t testing.TB, folder state.Folder, cloud string) (ed25519.PublicKey, []byte) {
	t.Helper()
	keys, err := state.NewKeys()
	Must(t, err)
	public, seal, err := keys.Public()
	Must(t, err)
	Must(t, folder.SaveInstance(state.Instance{
		ID:          Instance,
		Cloud:       cloud,
		GatewayName: "test",
		Fingerprint: wire.Fingerprint(public, seal),
		KeysSince:   time.Now(),
		Keys:        keys,
	}))
	return public, seal
}
