package slapdtest

import (
	"strings"

	"ldap-gateway/directory/directorytest"

	"github.com/go-ldap/ldap/v3"
)

// Modify applies LDIF change records (add, modify, delete, modrdn) as the
// administrator; a record without changetype is an add.
func (s *Server) Modify(ldif string) {
	s.t.Helper()
	c, err := ldap.DialURL(s.URL())
	s.must(err)
	defer func() { _ = c.Close() }()
	s.must(c.Bind(AdminDN, Password))
	s.must(directorytest.Apply(c, ldif))
}

func (s *Server) loadOnline() {
	s.t.Helper()
	if s.cfg.MemberOf {
		s.Modify(strings.TrimPrefix(s.cfg.ldif(), BaseLDIF))
	}
}
