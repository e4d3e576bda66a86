package directory_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ldap-gateway/directory"
	"ldap-gateway/directory/directorytest"
	"ldap-gateway/directory/ds389test"
	"ldap-gateway/directory/slapdtest"
)

// windowsTime is the moment in so long from now as Active Directory writes it.
func windowsTime(in time.Duration) string {
	return fmt.Sprint((time.Now().Add(in).Unix() + 11644473600) * 1e7)
}

func ldapTime(in time.Duration) string {
	return time.Now().Add(in).UTC().Format("20060102150405Z")
}

// graced is somebody whose password is over, and who has signed on since.
func graced(used int) []string {
	lines := []string{"pwdChangedTime: " + ldapTime(-2*time.Hour), "pwdPolicySubentry: cn=grace," + suffix}
	for i := range used {
		lines = append(lines, "pwdGraceUseTime: "+ldapTime(-time.Duration(i+1)*time.Minute))
	}
	return lines
}

// factsOf are what is told of an entry with these lines, all on one line of text.
func factsOf(t *testing.T, rootDSE map[string][]string, lines ...string) string {
	t.Helper()
	policy := "dn: cn=policy," + suffix + "\nobjectClass: pwdPolicy\ncn: policy\npwdAttribute: userPassword\npwdMaxAge: 3600\npwdLockoutDuration: 600\n\n" +
		"dn: cn=grace," + suffix + "\nobjectClass: pwdPolicy\ncn: grace\npwdAttribute: userPassword\npwdMaxAge: 3600\npwdGraceAuthnLimit: 2\n\n"
	s := inProcess(t, policy+person("alice", lines...), func(s *directorytest.Server) {
		s.RootDSE = rootDSE
		if rootDSE["supportedCapabilities"] != nil {
			s.RootDSE["defaultNamingContext"] = []string{suffix}
		}
	})
	if err := s.Replace(suffix, "lockoutDuration", "-18000000000"); err != nil { // 30 minutes
		t.Fatal(err)
	}
	c := open(t, s.CA(), s.TLSURL())
	facts, err := c.AccountState(t.Context(), find(t, c, compile(t, persons()), "alice"))
	if err != nil {
		t.Fatal(err)
	}
	text := ""
	for _, f := range facts {
		text += fmt.Sprintf("%s %s: %s; ", f.Name, f.State, f.Detail)
	}
	return text
}

// What the attributes of each vendor mean, past and future.
func TestAccountStateInWords(t *testing.T) {
	openLDAP := map[string][]string{"objectClass": {"top", "OpenLDAProotDSE"}}
	ds389 := map[string][]string{"vendorName": {"389 Project"}}
	changed, policy := "pwdChangedTime: "+ldapTime(-time.Minute), "pwdPolicySubentry: cn=policy,"+suffix
	for name, c := range map[string]struct {
		root  map[string][]string
		lines []string
		want  string
	}{
		"ad-not-readable":   {directorytest.ActiveDirectory(), nil, "account not readable: give the service account the right to read userAccountControl"},
		"ad-never":          {directorytest.ActiveDirectory(), []string{"userAccountControl: 66048", "accountExpires: 9223372036854775807", "pwdLastSet: 0"}, "account fine: enabled|lock not readable|does not expire|password fine: does not expire"},
		"ad-will-expire":    {directorytest.ActiveDirectory(), []string{"userAccountControl: 512", "accountExpires: " + windowsTime(time.Hour)}, "expiry fine: the account expires at 2"},
		"ad-expired":        {directorytest.ActiveDirectory(), []string{"userAccountControl: 512", "accountExpires: " + windowsTime(-time.Hour)}, "expiry hinders: the account expired at 2"},
		"ad-lock-over":      {directorytest.ActiveDirectory(), []string{"userAccountControl: 512", "msDS-User-Account-Control-Computed: 0", "lockoutTime: " + windowsTime(-time.Hour)}, "lock fine: not locked"},
		"ad-locked":         {directorytest.ActiveDirectory(), []string{"userAccountControl: 512", "msDS-User-Account-Control-Computed: 16", "lockoutTime: " + windowsTime(-time.Minute)}, "lock hinders: locked since 2| until 2| by the domain's policy"},
		"ad-computed":       {directorytest.ActiveDirectory(), []string{"userAccountControl: 512", "msDS-User-Account-Control-Computed: 8388608", "pwdLastSet: " + windowsTime(-time.Hour)}, "password hinders: expired; it was set at 2"},
		"ad-will-be-old":    {directorytest.ActiveDirectory(), []string{"userAccountControl: 512", "pwdLastSet: " + windowsTime(-time.Hour), "msDS-UserPasswordExpiryTimeComputed: " + windowsTime(time.Hour)}, "password fine: expires at 2"},
		"ad-some-hours":     {directorytest.ActiveDirectory(), []string{"userAccountControl: 512", "logonHours:: " + strings.Repeat("8PDw", 7)}, "hours depends: logonHours permits some hours"},
		"ad-no-hours":       {directorytest.ActiveDirectory(), []string{"userAccountControl: 512", "logonHours:: " + strings.Repeat("AAAA", 7)}, "hours hinders: logonHours permits no hour"},
		"ad-all-hours":      {directorytest.ActiveDirectory(), []string{"userAccountControl: 512", "logonHours:: " + strings.Repeat("////", 7)}, "hours fine"},
		"openldap-nothing":  {openLDAP, nil, "account not readable"},
		"openldap-old":      {openLDAP, []string{"pwdChangedTime: " + ldapTime(-2*time.Hour), policy}, "password hinders: expired at 2"},
		"openldap-grace":    {openLDAP, graced(1), "password fine: expired at 2|1 grace sign-ons are left"},
		"openldap-no-grace": {openLDAP, graced(2), "password hinders: expired at 2|no grace sign-on is left"},
		"openldap-young":    {openLDAP, []string{changed, policy}, "lock fine|password fine: expires at 2"},
		"openldap-default":  {openLDAP, []string{changed}, "password fine: was set at 2|default policy"},
		"openldap-locked":   {openLDAP, []string{changed, policy, "pwdAccountLockedTime: " + ldapTime(-time.Minute)}, "lock hinders: locked until 2"},
		"openldap-unlocked": {openLDAP, []string{changed, policy, "pwdAccountLockedTime: " + ldapTime(-time.Hour)}, "lock fine: was locked until 2"},
		"openldap-ended":    {openLDAP, []string{changed, "pwdEndTime: 20200101000000Z"}, "expiry hinders: the account expired at 2020-01-01"},
		"openldap-no-age":   {openLDAP, []string{"pwdReset: FALSE", policy}, "password not readable"},
		"openldap-hidden":   {openLDAP, []string{changed, "pwdReset: TRUE", "pwdPolicySubentry: cn=none," + suffix, "pwdAccountLockedTime: " + ldapTime(-time.Minute)}, "lock hinders: locked since 2|password hinders: must be changed at the next sign-on (pwdReset), unless the policy of the entry (pwdPolicySubentry), which"},
		"openldap-unnamed":  {openLDAP, []string{changed, "pwdReset: TRUE"}, "password hinders: must be changed at the next sign-on (pwdReset), unless the directory's default policy"},
		"389-plain":         {ds389, nil, "account fine: enabled|lock fine|password not readable"},
		"389-for-ever":      {ds389, []string{"accountUnlockTime: 19700101000000Z"}, "lock hinders: locked until an administrator"},
		"389-for-a-while":   {ds389, []string{"accountUnlockTime: " + ldapTime(time.Hour)}, "lock hinders: locked until 2"},
		"389-over":          {ds389, []string{"accountUnlockTime: " + ldapTime(-time.Hour)}, "lock fine: was locked until 2"},
		"389-expired":       {ds389, []string{"passwordExpirationTime: 20200101000000Z"}, "password hinders: expired at 2020-01-01|if passwordExp is on and no grace sign-on is left"},
		"389-will-expire":   {ds389, []string{"passwordExpirationTime: " + ldapTime(time.Hour)}, "password fine: expires at 2"},
		"other":             {map[string][]string{"vendorName": {"Apache"}}, []string{"pwdReset: TRUE"}, "account not readable: how this directory"},
	} {
		t.Run(name, func(t *testing.T) {
			got := factsOf(t, c.root, c.lines...)
			for part := range strings.SplitSeq(c.want, "|") {
				if !strings.Contains(got, part) {
					t.Errorf("%q is not in\n%s", part, got)
				}
			}
		})
	}
}

// A password that an administrator has set keeps somebody out where the policy says so, and what is told beforehand is
// what slapd does then.
func TestResetPasswordsOfOpenLDAP(t *testing.T) {
	ldif := ""
	for name, line := range map[string]string{"must": "pwdMustChange: TRUE\n", "neednot": "pwdMustChange: FALSE\n", "silent": ""} {
		dn := "cn=" + name + "," + suffix
		ldif += "dn: " + dn + "\nobjectClass: pwdPolicy\nobjectClass: organizationalRole\ncn: " + name +
			"\npwdAttribute: userPassword\n" + line + "\n" + person(name, "pwdPolicySubentry: "+dn, "pwdReset: TRUE")
	}
	s := slapdtest.Start(t, slapdtest.Config{LDIF: ldif + person("unnamed", "pwdReset: TRUE"), PasswordPolicy: true})
	c := open(t, s.CA(), s.TLSURL())
	for uid, want := range map[string]string{
		"must":    "must be changed at the next sign-on",
		"neednot": "counts for nothing",
		"silent":  "counts for nothing",
		"unnamed": "unless the directory's default policy",
	} {
		facts, err := c.AccountState(t.Context(), find(t, c, compile(t, persons()), uid))
		if err != nil {
			t.Fatal(err)
		}
		fact := facts[slices.IndexFunc(facts, func(f directory.AccountFact) bool { return f.Name == "password" })]
		var account *directory.AccountError
		kept := errors.As(c.Bind(t.Context(), "uid="+uid+","+people, "password"), &account)
		if doubt := uid == "unnamed"; !strings.Contains(fact.Detail, want) || !doubt && kept != (fact.State == directory.Hinders) {
			t.Errorf("%s: %s: %q, and slapd keeps the person out: %t", uid, fact.State, fact.Detail, kept)
		}
	}
}

// TestGraceSignOnsOn389 has a password be over and sign-ons be left: they are sign-ons, as
// on OpenLDAP, and how many are left is told to an account that may read the rule.
func TestGraceSignOnsOn389(t *testing.T) {
	s := ds389test.Start(t, ds389test.Config{})
	s.Modify(person("alice"))
	s.Modify("dn: cn=config\nchangetype: modify\nreplace: passwordExp\npasswordExp: on\n-\n" +
		"replace: passwordGraceLimit\npasswordGraceLimit: 2\n-\n")
	s.Modify("dn: " + aliceDN + "\nchangetype: modify\nreplace: passwordExpirationTime\n" +
		"passwordExpirationTime: 20200101000000Z\n-\n")
	clients := map[string]*directory.Client{}
	for _, account := range []string{ds389test.AdminDN, ds389test.ReaderDN} {
		clients[account] = open(t, s.CA(), s.TLSURL(), func(cfg *directory.Config) {
			cfg.BindDN, cfg.BindPassword = account, ds389test.Password
		})
	}
	ut := compile(t, persons())
	told := func(account string) string {
		c := clients[account]
		facts, err := c.AccountState(t.Context(), find(t, c, ut, "alice"))
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(facts, func(f directory.AccountFact) bool { return f.Name == "password" })
		return fmt.Sprintf("%s: %s", facts[i].State, facts[i].Detail)
	}
	for _, want := range []string{"fine: expired at 2020-01-01 00:00:00 UTC; 2 grace", "; 1 grace", "hinders: expired at 2020-01-01 00:00:00 UTC, and no grace"} {
		if got := told(ds389test.AdminDN); !strings.Contains(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
		if got := told(ds389test.ReaderDN); !strings.Contains(got, "hinders") || !strings.Contains(got, "no grace sign-on is left") {
			t.Errorf("of a rule that may not be read: %q", got)
		}
		kind := directory.AccountKind(0)
		if strings.Contains(want, "no grace") {
			kind = directory.PasswordExpired
		}
		wantKind(t, want, clients[ds389test.ReaderDN].Bind(t.Context(), aliceDN, "password"), kind)
	}
}
