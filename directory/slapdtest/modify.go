package slapdtest

import (
	"errors"
	"fmt"
	"strings"

	"ldap-gateway/directory/directorytest"

	"github.com/go-ldap/ldap/v3"
)

// Modify applies LDIF change records (add, modify, delete, modrdn) as the
// administrator; a record without changetype is an add.
func (s *Server) Modify(ldif string) {
	s.t.Helper()
	records, err := directorytest.ParseLDIF(strings.NewReader(ldif))
	s.must(err)
	c, err := ldap.DialURL(s.URL())
	s.must(err)
	defer func() { _ = c.Close() }()
	s.must(c.Bind(AdminDN, Password))
	for _, record := range records {
		if err := apply(c, record); err != nil {
			s.t.Fatalf("slapdtest: %s: %v", record.DN, err)
		}
	}
}

func (s *Server) loadOnline() {
	s.t.Helper()
	if s.cfg.MemberOf {
		s.Modify(strings.TrimPrefix(s.cfg.ldif(), BaseLDIF))
	}
}

func apply(c *ldap.Conn, record directorytest.Record) error {
	switch record.ChangeType {
	case "", "add":
		return c.Add(addRequest(record))
	case "delete":
		return c.Del(ldap.NewDelRequest(record.DN, nil))
	case "modrdn", "moddn":
		return c.ModifyDN(renameRequest(record))
	case "modify":
		request, err := modifyRequest(record)
		if err != nil {
			return err
		}
		return c.Modify(request)
	}
	return fmt.Errorf("changetype %q is not known", record.ChangeType)
}

func addRequest(record directorytest.Record) *ldap.AddRequest {
	values, order := map[string][]string{}, []string(nil)
	for _, l := range record.Lines {
		if values[l.Name] == nil {
			order = append(order, l.Name)
		}
		values[l.Name] = append(values[l.Name], l.Value)
	}
	request := ldap.NewAddRequest(record.DN, nil)
	for _, name := range order {
		request.Attribute(name, values[name])
	}
	return request
}

func renameRequest(record directorytest.Record) *ldap.ModifyDNRequest {
	var rdn, superior string
	keep := false
	for _, l := range record.Lines {
		switch strings.ToLower(l.Name) {
		case "newrdn":
			rdn = l.Value
		case "deleteoldrdn":
			keep = l.Value == "0"
		case "newsuperior":
			superior = l.Value
		}
	}
	return ldap.NewModifyDNRequest(record.DN, rdn, !keep, superior)
}

// modifyRequest reads blocks such as "replace: cn", "cn: x", "-".
func modifyRequest(record directorytest.Record) (*ldap.ModifyRequest, error) {
	request := ldap.NewModifyRequest(record.DN, nil)
	for rest := record.Lines; len(rest) > 0; {
		operation, name := strings.ToLower(rest[0].Name), rest[0].Value
		var values []string
		for rest = rest[1:]; len(rest) > 0 && rest[0].Name != "-"; rest = rest[1:] {
			values = append(values, rest[0].Value)
		}
		if len(rest) > 0 {
			rest = rest[1:]
		}
		switch operation {
		case "add":
			request.Add(name, values)
		case "delete":
			request.Delete(name, values)
		case "replace":
			request.Replace(name, values)
		default:
			return nil, errors.New("a block must begin with add, delete or replace")
		}
	}
	return request, nil
}
