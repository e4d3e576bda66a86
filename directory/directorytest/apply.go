package directorytest

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// Apply sends LDIF change records (add, modify, delete, modrdn) over a connection to
// a real server, in order; a record without changetype is an add. The error names the
// record that failed.
func Apply(c *ldap.Conn, ldif string) error {
	records, err := ParseLDIF(strings.NewReader(ldif))
	if err != nil {
		return err
	}
	for _, record := range records {
		if err := apply(c, record); err != nil {
			return fmt.Errorf("%s: %w", record.DN, err)
		}
	}
	return nil
}

func apply(c *ldap.Conn, record Record) error {
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

func addRequest(record Record) *ldap.AddRequest {
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

func renameRequest(record Record) *ldap.ModifyDNRequest {
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
func modifyRequest(record Record) (*ldap.ModifyRequest, error) {
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
