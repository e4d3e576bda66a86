package management_test

import (
	"testing"
	"time"

	"github.com/jcmturner/gokrb5/v8/keytab"

	"ldap-gateway/cloud/kerberos"
)

// newKeys are those of a service account.
func newKeys() kerberos.NewKeys {
	return kerberos.NewKeys{Account: "svc-sso@corp.example.com", Password: "Serv1ce.password"}
}

// newKeytab is that of an HTTP service.
func newKeytab(t testing.TB) []byte {
	t.Helper()
	kt := keytab.New()
	must(t, kt.AddEntry("HTTP/id.example.com", "CORP.EXAMPLE.COM", "x", time.Now(), 1, 18))
	b, err := kt.Marshal()
	must(t, err)
	return b
}
