package e2e

import (
	"sort"
	"strings"
)

// people is the directory of every test: A holds B, and B holds alice.
const people = `dn: uid=alice,ou=people,dc=example,dc=test
objectClass: inetOrgPerson
uid: alice
cn: Alice Archer
givenName: Alice
sn: Archer
mail: alice@example.test
userPassword: wonderland

dn: uid=bob,ou=people,dc=example,dc=test
objectClass: inetOrgPerson
uid: bob
cn: Bob Builder
givenName: Bob
sn: Builder
mail: bob@example.test
userPassword: builder

dn: uid=o'brien \28ext\29\2A,ou=people,dc=example,dc=test
objectClass: inetOrgPerson
uid: o'brien (ext)*
cn: O'Brien
sn: O'Brien
userPassword: telescreen

dn:: dWlkPWpvc8OpXCwgW3hdLG91PXBlb3BsZSxkYz1leGFtcGxlLGRjPXRlc3Q=
objectClass: inetOrgPerson
uid:: am9zw6ksIFt4XQ==
cn: Jose
sn: Jose
userPassword: brackets

dn: ou=branch,ou=people,dc=example,dc=test
objectClass: organizationalUnit
ou: branch

dn: uid=twin,ou=people,dc=example,dc=test
objectClass: inetOrgPerson
uid: twin
cn: Twin One
sn: One
userPassword: same

dn: uid=twin,ou=branch,ou=people,dc=example,dc=test
objectClass: inetOrgPerson
uid: twin
cn: Twin Two
sn: Two
userPassword: same

dn: cn=A,ou=groups,dc=example,dc=test
objectClass: groupOfNames
cn: A
member: cn=B,ou=groups,dc=example,dc=test

dn: cn=B,ou=groups,dc=example,dc=test
objectClass: groupOfNames
cn: B
member: uid=alice,ou=people,dc=example,dc=test

dn: cn=staff,ou=groups,dc=example,dc=test
objectClass: groupOfUniqueNames
cn: staff
uniqueMember: uid=alice,ou=people,dc=example,dc=test
uniqueMember: uid=bob,ou=people,dc=example,dc=test
uniqueMember: uid=o'brien \28ext\29\2A,ou=people,dc=example,dc=test

dn: cn=unix,ou=groups,dc=example,dc=test
objectClass: posixGroup
cn: unix
gidNumber: 4711
memberUid: alice

dn: cn=spare,ou=groups,dc=example,dc=test
objectClass: groupOfNames
cn: spare
member: uid=bob,ou=people,dc=example,dc=test

`

const (
	aliceDN = "uid=alice,ou=people,dc=example,dc=test"
	groupDN = ",ou=groups,dc=example,dc=test"
)

// signOn is the API's answer to a sign-on.
type signOn struct {
	ID, Method, Outcome, Message, Reason string

	User   struct{ ID, Username string }
	Groups []group
	Record struct {
		Updated bool
		Reason  string
	}
	Membership *struct {
		Verdict, Reason string
		Added, Removed  []string
	}
}

type group struct {
	ID, Name, DisplayName, SourceType, SourceID string
	JustInTime                                  bool
}

type user struct {
	ID, Username, Email, UpdatedAt string
	Name                           struct{ Given, Family string }
	Population                     struct{ ID string }
}

func (w *world) signOn(username, password string) (r signOn) {
	w.t.Helper()
	w.must("POST", "/signOns", map[string]string{"username": username, "password": password}, &r)
	return r
}

// mustSignOn wants the outcome ok.
func (w *world) mustSignOn(username, password string) signOn {
	w.t.Helper()
	r := w.signOn(username, password)
	if r.Outcome != "ok" {
		w.t.Fatalf("%s: %s, %s", username, r.Outcome, r.Reason)
	}
	return r
}

// record returns a person's user and the names of their groups, sorted.
func (w *world) record(id string) (u user, groups string) {
	w.t.Helper()
	w.must("GET", "/users/"+id, nil, &u)
	return u, names(w.groupsOf(id))
}

func (w *world) groupsOf(id string) []group {
	w.t.Helper()
	var list struct {
		Embedded struct {
			Groups []group `json:"groupMemberships"`
		} `json:"_embedded"`
	}
	w.must("GET", "/users/"+id+"/memberOfGroups", nil, &list)
	return list.Embedded.Groups
}

// names joins the DNs of groups below ou=groups to a line such as "cn=B cn=unix".
func names(groups []group) string {
	var out []string
	for _, g := range groups {
		out = append(out, strings.TrimSuffix(g.Name, groupDN))
	}
	sort.Strings(out)
	return strings.Join(out, " ")
}

// member returns LDIF that changes the members of a group.
func member(cn, how, dn string) string {
	return "dn: cn=" + cn + groupDN + "\nchangetype: modify\n" + how + ": member\nmember: " + dn + "\n\n"
}

// groupSearches counts the searches for groups in the directory's log.
func (w *world) groupSearches() int { return strings.Count(w.slapd.Log(), "(member=") }

// activities returns the texts of what happened in a sign-on, by action.
func (w *world) activities(signOn string) map[string][]string {
	w.t.Helper()
	var list struct {
		Embedded struct {
			Activities []struct {
				Action, Text string
				SignOn       struct{ ID string }
			}
		} `json:"_embedded"`
	}
	w.must("GET", "/activities?limit=200", nil, &list)
	out := map[string][]string{}
	for _, a := range list.Embedded.Activities {
		if a.SignOn.ID == signOn {
			out[a.Action] = append(out[a.Action], a.Text)
		}
	}
	return out
}
