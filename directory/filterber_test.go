package directory

import (
	"bytes"
	"testing"

	"github.com/go-ldap/ldap/v3"
)

// usualFilters are written without go-ldap.
var usualFilters = []string{
	"(uid=alice)", "(&(objectClass=inetOrgPerson)(uid=p00001))", "(|(a=b)(!(c=d))(&(e=*)(f;lang-de=g)))",
	`(cn=\28a\2A\29)`, `(entryUUID=5b4e-1)`, `(1.2.3=a=b)`, `(objectGUID=\00\ff\7e)`, "(cn=a  b ~ , \" <>&|!)",
}

// unusualFilters are what go-ldap writes, or refuses.
var unusualFilters = []string{
	"(cn=a*)", "(cn=*a*)", "(a>=5)", "(a<=5)", "(a~=b)", "(a:dn:=b)", "(cn:2.4.6.8:=b)", "(cn=é)", "(cn=)", "(=a)", "(&)", "(!(a=b)(c=d))",
	"(a=b", "a=b", "(a=b))", "(a=b)(c=d)", "", "(", "()", `(a=\2)`, `(a=\zz)`, "( a=b)", "(a =b)", "(&(a=b)", "(a=b(c)", "(a=\xff)", "(a=\x00)", "(!)",
}

// FuzzFilterAsGoLDAP: what is written of a filter is what go-ldap writes.
func FuzzFilterAsGoLDAP(f *testing.F) {
	for i, filter := range append(usualFilters, unusualFilters...) {
		f.Add(filter)
		if _, rest, ok := appendFilter(nil, filter, mostNested); (ok && rest == "") != (i < len(usualFilters)) {
			f.Errorf("%s: %v, %q is left", filter, ok, rest)
		}
	}
	f.Fuzz(func(t *testing.T, filter string) {
		got, rest, ok := appendFilter(nil, filter, mostNested)
		if !ok || rest != "" {
			return
		}
		want, err := ldap.CompileFilter(filter)
		if err != nil || !bytes.Equal(got, want.Bytes()) {
			t.Errorf("%q: %x, go-ldap writes %v, %v", filter, got, want, err)
		}
	})
}
