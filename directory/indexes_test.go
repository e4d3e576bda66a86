package directory_test

import (
	"slices"
	"strings"
	"testing"

	"ldap-gateway/directory"
	"ldap-gateway/directory/ds389test"
	"ldap-gateway/directory/sambatest"
	"ldap-gateway/directory/slapdtest"
)

// Each server is asked about an attribute that it has an index for by default, and about
// one that it has none for; to whom it does not tell, nothing is claimed.
func TestIndexesThatAreMissing(t *testing.T) {
	asked := []string{"uid", "employeeNumber"}
	wantMissing := func(t *testing.T, c *directory.Client, asked []string, want string) {
		t.Helper()
		missing, told := c.Unindexed(t.Context(), asked)
		if !told || strings.Join(missing, " ") != want {
			t.Errorf("missing %q, told %v, want %q", missing, told, want)
		}
	}
	wantSilence := func(t *testing.T, c *directory.Client) {
		t.Helper()
		if missing, told := c.Unindexed(t.Context(), asked); told || missing != nil {
			t.Errorf("missing %q although it is not told", missing)
		}
	}
	t.Run("OpenLDAP", func(t *testing.T) {
		t.Parallel()
		s := slapdtest.Start(t, slapdtest.Config{ShowConfig: true})
		wantMissing(t, open(t, s.CA(), s.TLSURL()), asked, "employeeNumber")
		closed := slapdtest.Start(t, slapdtest.Config{})
		wantSilence(t, open(t, closed.CA(), closed.TLSURL()))
	})
	t.Run("389", func(t *testing.T) {
		t.Parallel()
		s := ds389test.Start(t, ds389test.Config{})
		as := func(dn string) *directory.Client {
			return open(t, s.CA(), s.TLSURL(), func(c *directory.Config) { c.BindDN, c.BindPassword = dn, ds389test.Password })
		}
		wantMissing(t, as(ds389test.AdminDN), asked, "employeeNumber")
		wantSilence(t, as(ds389test.ReaderDN))
	})
	t.Run("Samba", func(t *testing.T) {
		t.Parallel()
		s := sambatest.Start(t, sambatest.Config{})
		c := open(t, s.CA(), s.TLSURL(), func(c *directory.Config) {
			c.BaseDN, c.BindDN, c.BindPassword, c.TLS.ServerName = sambatest.Suffix, sambatest.ReaderDN, sambatest.Password, sambatest.Host
		})
		wantMissing(t, c, []string{"sAMAccountName", "employeeID", "userPrincipalName", "mail"}, "employeeID")
	})
	t.Run("other", func(t *testing.T) {
		s := inProcess(t, "")
		wantSilence(t, open(t, s.CA(), s.TLSURL()))
	})
}

func TestAskedAttributes(t *testing.T) {
	u := compile(t, directory.UserTypeConfig{ID: "1", SearchBase: suffix, Correlation: []string{"entryUUID"},
		Filter: "(&(objectClass=user)(!(loginShell=x))(|(uid=${identifier})(mail=*${identifier})(title:caseExactMatch:=${identifier})))"})
	if got := u.AskedAttributes(); !slices.Equal(got, []string{"uid", "mail", "title"}) {
		t.Errorf("%q", got)
	}
}
