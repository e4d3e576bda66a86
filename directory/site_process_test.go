package directory_test

import (
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"ldap-gateway/directory"
	"ldap-gateway/directory/directorytest"
	"ldap-gateway/directory/sambatest"
	"ldap-gateway/directory/slapdtest"

	"github.com/google/uuid"
)

// inMemory changes a directorytest server, and does what the real server would do by
// itself: make identities, and let memberships follow a rename.
type inMemory struct {
	server  *directorytest.Server
	enrich  func(dn string, attributes map[string][]string)
	members map[string][]string // by DN of the group
	tokens  map[string]string   // primaryGroupToken by DN
	// primary is called before somebody's primaryGroupID changes.
	primary func(dn, rid string) error
}

func (m *inMemory) add(dn string, attributes map[string][]string) error {
	m.enrich(dn, attributes)
	if token := attributes["primaryGroupToken"]; token != nil {
		m.tokens[dn] = token[0]
	}
	if list := attributes["member"]; len(list) > 0 {
		m.members[dn] = slices.Clone(list)
	}
	return m.server.Add(dn, attributes)
}

func (m *inMemory) replace(dn, attribute string, values ...string) error {
	switch attribute {
	case "member":
		m.members[dn] = slices.Clone(values)
	case "primaryGroupID":
		if err := m.primary(dn, values[0]); err != nil {
			return err
		}
	}
	return m.server.Replace(dn, attribute, values...)
}

func (m *inMemory) rename(dn, to string) error {
	for group, members := range m.members {
		if at := slices.Index(members, dn); at >= 0 {
			members[at] = to
			if err := m.server.Replace(group, "member", members...); err != nil {
				return err
			}
		}
	}
	return m.server.Rename(dn, to)
}

func (m *inMemory) remove(dn string) error { return m.server.Delete(dn) }

func process(
	t *testing.T, enrich func(string, map[string][]string), configure ...func(*directorytest.Server),
) *inMemory {
	t.Helper()
	configure = append(configure, func(s *directorytest.Server) {
		s.MinPassword, s.PasswordWriter = 8, "cn=writer,"+suffix
	})
	return &inMemory{
		server:  directorytest.Start(t, configure...),
		enrich:  enrich,
		members: map[string][]string{},
		tokens:  map[string]string{},
	}
}

// processSite is what the three characters have in common.
func processSite(
	t *testing.T, m *inMemory, name string, d dialect, base string, state map[directory.AccountKind]directorytest.Fault,
) site {
	t.Helper()
	return site{
		backend: m, name: name, keepsMembers: true, dialect: d, memberOf: "search", because: "not computed",
		makeDirect: func(*testing.T) { m.server.SetMemberOf(directorytest.MemberOfDirect) },
		config: directory.Config{
			Servers:      []string{m.server.TLSURL()},
			BaseDN:       base,
			BindDN:       "cn=reader," + base,
			BindPassword: slapdtest.Password,
			TLS:          directory.TLS{RootCAs: m.server.CA()},
		},
		account: func(t *testing.T, dn string, kind directory.AccountKind) directory.AccountKind {
			t.Helper()
			m.server.SetBindFault(dn, state[kind])
			if kind == directory.Disabled && state[kind].Result.Policy != nil {
				return directory.Locked
			}
			return kind
		},
		rule:    func(*testing.T, string, directory.PasswordReason) {}, // of length, which is always in force
		writer:  [2]string{"cn=writer," + base, slapdtest.Password},
		present: func(_ *testing.T, certificate tls.Certificate) { m.server.Present(certificate) },
		cannot:  notActiveDirectory(oneRule),
	}
}

// oneRule is why some cases of passwords and accounts need a real server.
var oneRule = map[string]string{
	caseHistory: onlyLength, caseYoung: onlyLength, caseForbidden: onlyLength,
	caseShowsDisabled: noState, caseShowsLocked: noState, caseShowsPassword: noState, caseShowsChange: noState,
	caseShowsExpired: noState, caseShowsHours: noState, caseShowsPlaces: noState,
}

const (
	onlyLength = "knows one rule for new passwords, their length"
	noState    = "answers a bind as it is told and keeps no state of accounts: TestAccountStateInWords has it"
)

// writerLDIF has an account that may set passwords.
const writerLDIF = slapdtest.BaseLDIF + `dn: cn=writer,` + suffix + `
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: writer
userPassword: secret

`

func policyCode(n int8) *int8 { return &n }

func inOpenLDAPCharacter(t *testing.T) site {
	t.Helper()
	m := process(
		t,
		func(string, map[string][]string) {},
		directorytest.LDIF(t, writerLDIF),
		func(s *directorytest.Server) {
			s.RootDSE = map[string][]string{"objectClass": {"top", "OpenLDAProotDSE"}}
			s.MemberOf = directorytest.MemberOfNone
		},
	)
	refused := func(code int8) directorytest.Fault {
		return directorytest.Fault{Result: &directorytest.Result{Code: 49, Policy: policyCode(code)}}
	}
	expired := refused(0)
	expired.OnlyIfRight = true
	return processSite(
		t,
		m,
		"in the process, as OpenLDAP",
		rfc2307("entryUUID"),
		suffix,
		map[directory.AccountKind]directorytest.Fault{
			directory.Locked: refused(1), directory.Disabled: refused(1), directory.PasswordExpired: expired,
			directory.PasswordMustChange: {Result: &directorytest.Result{Policy: policyCode(2)}, OnlyIfRight: true},
		},
	)
}

func in389Character(t *testing.T) site {
	t.Helper()
	identity := func(_ string, attributes map[string][]string) {
		id := strings.ReplaceAll(uuid.NewString(), "-", "")
		attributes["nsUniqueId"] = []string{id[:8] + "-" + id[8:16] + "-" + id[16:24] + "-" + id[24:]}
	}
	m := process(t, identity, directorytest.LDIF(t, writerLDIF), func(s *directorytest.Server) {
		s.RootDSE = map[string][]string{"vendorName": {"389 Project"}}
		s.MemberOf = directorytest.MemberOfTransitive
	})
	const changed = "2.16.840.1.113730.3.4.4"
	out := processSite(
		t,
		m,
		"in the process, as 389",
		rfc2307("nsUniqueId"),
		suffix,
		map[directory.AccountKind]directorytest.Fault{
			directory.Locked: {
				Result: &directorytest.Result{Code: 19, Text: "Exceed password retry limit. Please try later."},
			},
			directory.Disabled: {
				Result: &directorytest.Result{Code: 53, Text: "Account inactivated. Contact system administrator."},
			},
			directory.PasswordExpired: {
				Result:      &directorytest.Result{Code: 49, Text: "password expired!", Policy: policyCode(0), Control: changed},
				OnlyIfRight: true,
			},
			directory.PasswordMustChange: {
				Result:      &directorytest.Result{Policy: policyCode(2), Control: changed},
				OnlyIfRight: true,
			},
		},
	)
	out.because = "lists parent groups"
	return out
}

// adContent is what a domain has from the beginning.
const adContent = `dn: DC=ad,DC=example,DC=test
objectClass: domainDNS
dc: ad
nETBIOSName: ADTEST

dn: CN=Configuration,DC=ad,DC=example,DC=test
objectClass: configuration
cn: Configuration

dn: CN=Partitions,CN=Configuration,DC=ad,DC=example,DC=test
objectClass: crossRefContainer
cn: Partitions

dn: CN=ADTEST,CN=Partitions,CN=Configuration,DC=ad,DC=example,DC=test
objectClass: crossRef
cn: ADTEST
nCName: DC=ad,DC=example,DC=test
nETBIOSName: ADTEST

dn: CN=Users,DC=ad,DC=example,DC=test
objectClass: container
cn: Users

dn: CN=reader,DC=ad,DC=example,DC=test
objectClass: user
cn: reader
userPassword: secret

`

// domainSID returns the octets of S-1-5-21-1-2-3-rid.
func domainSID(rid uint32) string {
	raw := []byte{1, 5, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0}
	return string(binary.LittleEndian.AppendUint32(raw, rid))
}

// movePrimary does to memberships what a domain controller does: the new primary group
// loses the member, and the old one, Domain Users, gets it.
func (m *inMemory) movePrimary(dn, rid string) error {
	if err := m.server.Replace("CN=Domain Users,CN=Users,"+sambatest.Suffix, "member", dn); err != nil {
		return err
	}
	for group, members := range m.members {
		if m.tokens[group] == rid {
			return m.replace(group, "member", slices.DeleteFunc(members, func(member string) bool { return member == dn })...)
		}
	}
	return nil
}

func inADCharacter(t *testing.T) site {
	t.Helper()
	rid := uint32(1000)
	identity := func(_ string, attributes map[string][]string) {
		id := uuid.New()
		attributes["objectGUID"] = []string{string(id[:])}
		if !slices.Contains(attributes["objectClass"], "organizationalUnit") && attributes["objectSid"] == nil {
			rid++
			attributes["objectSid"] = []string{domainSID(rid)}
			attributes["primaryGroupToken"] = []string{fmt.Sprint(rid)}
		}
		if slices.Contains(attributes["objectClass"], "user") && attributes["primaryGroupID"] == nil {
			attributes["primaryGroupID"] = []string{"513"}
		}
	}
	m := process(t, identity, directorytest.LDIF(t, adContent), func(s *directorytest.Server) {
		wrong, unknown := directorytest.ActiveDirectoryRefusal("52e"), directorytest.ActiveDirectoryRefusal("525")
		s.RootDSE = directorytest.ActiveDirectory()
		s.RootDSE["defaultNamingContext"] = []string{sambatest.Suffix}
		s.RootDSE["configurationNamingContext"] = []string{"CN=Configuration," + sambatest.Suffix}
		s.MemberOf, s.RequireBind = directorytest.MemberOfDirect, true
		s.MaxValues, s.MaxPage = 1500, 1000
		s.WrongPassword, s.UnknownUser = &wrong, &unknown
	})
	if err := m.add("CN=Domain "+
		"Users,CN=Users,"+sambatest.Suffix, map[string][]string{"objectClass": {"group"}, "cn": {"Domain Users"},
		"objectSid": {domainSID(513)}, "primaryGroupToken": {"513"}}); err != nil {
		t.Fatal(err)
	}
	m.primary = m.movePrimary
	state := map[directory.AccountKind]directorytest.Fault{}
	for kind, code := range map[directory.AccountKind]string{
		directory.LogonHours: "530", directory.LogonWorkstation: "531", directory.PasswordExpired: "532", directory.Disabled: "533",
		directory.Expired: "701", directory.PasswordMustChange: "773", directory.Locked: "775",
	} {
		refusal := directorytest.ActiveDirectoryRefusal(code)
		state[kind] = directorytest.Fault{Result: &refusal, OnlyIfRight: kind != directory.Locked}
	}
	d := activeDirectory()
	d.password = func(pw string) (string, string) { return "userPassword", pw }
	out := processSite(t, m, "in the process, as AD", d, sambatest.Suffix, state)
	out.foreign = func(t *testing.T, group, sid string) {
		dn := "CN=" + sid + ",CN=Users," + sambatest.Suffix
		mustNot(t)(m.add(dn, map[string][]string{"objectClass": {"foreignSecurityPrincipal"}, "cn": {sid}}))
		mustNot(t)(m.replace(group, "member", append(slices.Clone(m.members[group]), dn)...))
	}
	out.writer = [2]string{out.config.BindDN, slapdtest.Password} // everybody may who knows the old one
	out.memberOf, out.because, out.domain = "memberOf", "lists direct groups only", sambatest.Domain
	out.cannot = map[string]string{
		caseGroupClasses: oneGroupClass,
		caseSkipNested:   directByNature,
		caseByID:         "knows no base by an objectGUID",
	}
	maps.Copy(out.cannot, oneRule)
	return out
}
