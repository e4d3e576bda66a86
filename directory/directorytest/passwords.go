package directorytest

import (
	"strings"
	"unicode/utf16"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

const oidPasswordModify = "1.3.6.1.4.1.4203.1.11.1"

// changeRequest is a wish for another password.
type changeRequest struct {
	dn, old, fresh string
	tag            ber.Tag // of the answer
	anybody        bool    // who knows the old password may ask, as in Active Directory
}

// ActiveDirectoryConstraint is result 19 with a Win32 error, such as "0000052D", in the
// text that a domain controller sends when it does not take a new password.
func ActiveDirectoryConstraint(code string) Result {
	return Result{Code: ldap.LDAPResultConstraintViolation, Text: code + ": AtrErr: DSID-03190FD6, #1:\n\t0: " + code +
		": DSID-03190FD6, problem 1005 (CONSTRAINT_ATT_VALUE), data 0, Att 9005a (unicodePwd)\n"}
}

// passwordModify is RFC 3062, with an old password.
func (c *conn) passwordModify(m message) {
	r := changeRequest{dn: c.who(), tag: ldap.ApplicationExtendedResponse}
	if len(m.op.Children) > 1 {
		if value, err := ber.DecodePacketErr(m.op.Children[1].Data.Bytes()); err == nil {
			fields := []*string{&r.dn, &r.old, &r.fresh}
			for _, child := range value.Children {
				if int(child.Tag) < len(fields) {
					*fields[child.Tag] = child.Data.String()
				}
			}
		}
	}
	c.change(m, r)
}

// modify takes the one change that this server lets anyone make: of unicodePwd, by
// its old value ([MS-ADTS] 3.1.1.3.1.5).
func (c *conn) modify(m message) {
	r := changeRequest{tag: ldap.ApplicationModifyResponse, anybody: true}
	var values []string
	if len(m.op.Children) == 2 {
		r.dn = m.op.Children[0].Data.String()
		for _, change := range m.op.Children[1].Children {
			if v, ok := unicodePwd(change); ok {
				values = append(values, v)
			}
		}
	}
	if len(values) != 2 {
		c.result(m, r.tag, Result{
			Code: ldap.LDAPResultUnwillingToPerform,
			Text: "this server is read-only, passwords excepted",
		}, nil)
		return
	}
	r.old, r.fresh = values[0], values[1]
	c.change(m, r)
}

// unicodePwd returns the password in a change of that attribute.
func unicodePwd(change *ber.Packet) (string, bool) {
	if len(change.Children) != 2 || len(change.Children[1].Children) != 2 ||
		len(change.Children[1].Children[1].Children) != 1 {
		return "", false
	}
	attribute, raw := change.Children[1].Children[0].Data.String(), change.Children[1].Children[1].Children[0].Data.Bytes()
	if !strings.EqualFold(attribute, "unicodePwd") || len(raw)%2 != 0 {
		return "", false
	}
	units := make([]uint16, len(raw)/2)
	for i := range units {
		units[i] = uint16(raw[2*i]) | uint16(raw[2*i+1])<<8
	}
	text, quoted := strings.CutPrefix(string(utf16.Decode(units)), `"`)
	text, closed := strings.CutSuffix(text, `"`)
	return text, quoted && closed
}

// change answers either kind of wish.
func (c *conn) change(m message, r changeRequest) {
	c.server.record(Operation{
		Conn:     c.number,
		Identity: c.who(),
		Change:   true,
		DN:       r.dn,
		Secure:   c.secure,
	})
	f := c.server.fault(changes, r.dn)
	if !c.suffer(f) {
		return
	}
	result := c.server.setPassword(c.who(), r)
	if f.Result != nil {
		result = *f.Result
	}
	c.result(m, r.tag, result, nil)
}

// setPassword does what a server with the simplest of rules does. A password that had
// to be changed, or had expired, has been changed then.
func (s *Server) setPassword(identity string, r changeRequest) Result {
	switch {
	case identity == "":
		return Result{Code: ldap.LDAPResultStrongAuthRequired, Text: "only authenticated users may change passwords"}
	case !r.anybody && !sameDN(identity, r.dn) && !sameDN(identity, s.PasswordWriter):
		return Result{Code: ldap.LDAPResultInsufficientAccessRights}
	case s.checkPassword(r.dn, r.old).Code != ldap.LDAPResultSuccess:
		if r.anybody {
			return ActiveDirectoryConstraint("00000056")
		}
		return Result{Code: ldap.LDAPResultInvalidCredentials}
	case len(r.fresh) < s.MinPassword:
		if r.anybody {
			return ActiveDirectoryConstraint("0000052D")
		}
		tooShort := int8(6)
		return Result{Code: ldap.LDAPResultConstraintViolation, Policy: &tooShort}
	}
	if err := s.Replace(r.dn, "userPassword", r.fresh); err != nil {
		return Result{Code: ldap.LDAPResultNoSuchObject}
	}
	if s.fault(binds, r.dn).OnlyIfRight {
		s.SetBindFault(r.dn, Fault{})
	}
	return Result{}
}
