package e2e

import (
	"fmt"
	"strings"
	"testing"

	"ldap-gateway/directory/kdctest"
	"ldap-gateway/directory/sambatest"
	"ldap-gateway/directory/slapdtest"
)

// TestServiceAccountByKerberos has the service account bind with a key table and no
// password, at OpenLDAP with an MIT KDC and at Samba.
func TestServiceAccountByKerberos(t *testing.T) {
	t.Run("OpenLDAP", func(t *testing.T) {
		t.Parallel()
		kdc := kdctest.Start(t, kdctest.Config{Principals: []kdctest.Principal{{Name: "svc-gateway"}, {Name: "ldap/localhost"}}})
		server := slapdtest.Start(t, slapdtest.Config{
			LDIF:         people,
			Keytab:       kdc.Keytab("ldap/localhost"),
			KerberosConf: kdc.ConfFile(),
		})
		at := slapdDirectory(server)
		at.url = strings.Replace(at.url, "127.0.0.1", "localhost", 1)
		w := newWorld(t, plan{at: at, bind: fmt.Sprintf("gssapi {\n principal = %q\n keytab = %q\n krb5_conf = %q\n}",
			"svc-gateway@"+kdctest.Realm, kdc.Keytab("svc-gateway"), kdc.ConfFile())})
		w.bindsByKerberos("svc-gateway@" + kdctest.Realm)
		if r := w.mustSignOn("alice", "wonderland"); r.Membership.Verdict != "complete" || len(r.Groups) == 0 {
			t.Errorf("%+v", r)
		}
	})
	t.Run("Samba", func(t *testing.T) {
		t.Parallel()
		server := sambatest.Start(t, sambatest.Config{SASLOverTLS: true})
		s := sambaPeople(server)
		w := newWorld(t, plan{
			at:     &s.directory,
			change: s.change,
			bind: fmt.Sprintf("gssapi {\n principal = %q\n keytab = %q\n kdc = [%q]\n service_principal = %q\n}",
				"reader@"+sambatest.Realm, server.Keytab(), server.KDC(), "ldap/"+sambatest.Host),
		})
		w.bindsByKerberos("reader@" + sambatest.Realm)
		if r := w.mustSignOn("grace", rightPassword); r.Membership.Verdict != "complete" || len(r.Groups) == 0 {
			t.Errorf("%+v", r)
		}
	})
}

// bindsByKerberos wants "check" to say who binds, and how.
func (w *world) bindsByKerberos(principal string) {
	w.t.Helper()
	out, code := w.command("agent1", "", "check")
	if code != 0 || !strings.Contains(out, "as "+principal+" by GSSAPI") {
		w.t.Errorf("check: %d\n%s", code, out)
	}
}
