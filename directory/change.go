package directory

import (
	"context"
	"errors"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// ChangePassword makes fresh the password of the person at dn, who gives the old one.
// It binds once as that person, like Bind, and changes the password on the same
// connection, or over one of the service account when the directory lets nobody bind
// with a password that has expired or must be changed. It does so only with TLS, and
// never twice. Errors: those of Bind, with ErrAnswerLost also when the answer to the
// change was lost, *PasswordError and ErrClearText.
//
// An *AccountError of a password that has expired or must be changed means that the
// service account may not change it either.
func (c *Client) ChangePassword(ctx context.Context, dn string, old, fresh Password) error {
	if fresh.Refused() || !utf8.ValidString(string(fresh)) {
		return &PasswordError{
			Reason: Unacceptable,
			Text:   "the new password is empty, starts with NUL or is no text: it was not sent",
		}
	}
	return c.asUser(ctx, dn, old, func(l *link) (bool, error) { return l.change(ctx, dn, old, fresh) })
}

// change binds and changes the password; sent is false only when nothing left this
// machine. The link is dead afterwards.
func (l *link) change(ctx context.Context, dn string, old, fresh Password) (sent bool, err error) {
	defer l.kill()
	if !l.secure {
		return true, ErrClearText
	}
	start := time.Now()
	bound := l.bind(ctx, dn, old)
	var account *AccountError
	switch {
	case !bound.sent:
		return false, bound.err
	case bound.entered: // also when all that it lets one do is to change the password
		return true, l.setPassword(ctx, dn, old, fresh)
	case bound.err == nil: // but it was too late
		return true, l.lost(ctx, errNoAnswer, time.Since(start))
	case errors.As(bound.err, &account) && (account.Kind == PasswordExpired || account.Kind == PasswordMustChange):
		return true, l.server.changeAsService(ctx, dn, old, fresh, account.Kind)
	}
	return true, bound.err
}

// changeAsService makes the same change as the service account. Active Directory lets
// everybody change anybody's password who knows it; elsewhere the account needs the
// right to write it. kind is what the person's bind said.
func (s *server) changeAsService(ctx context.Context, dn string, old, fresh Password, kind AccountKind) error {
	l, err := s.dialService()
	if err == nil {
		defer l.kill()
		err = l.setPassword(ctx, dn, old, fresh)
	}
	var refused *PasswordError
	var result *ResultError
	if l == nil || errors.As(err, &result) || errors.As(err, &refused) && refused.Reason == NotPermitted {
		return &AccountError{
			Kind:   kind,
			Server: s.url,
			Text: "nobody can bind with such a password, and the service account could not change it: " +
				"give it the right to write passwords, or let the directory allow grace logins: " + err.Error(),
		}
	}
	return err
}

// setPassword sends the change and waits for its answer.
func (l *link) setPassword(ctx context.Context, dn string, old, fresh Password) error {
	start := time.Now()
	limited, cancel := l.limited(ctx)
	defer cancel()
	stop := context.AfterFunc(limited, l.cut)
	defer stop()
	var err error
	if vendor := l.server.client.vendorAt(l.server); vendor == VendorAD || vendor == VendorSamba {
		err = l.ldap.Modify(unicodePwd(dn, old, fresh))
	} else {
		_, err = l.ldap.Extended(passwordModify(dn, old, fresh))
	}
	if err == nil {
		return nil
	}
	if e, ok := answered(err); ok {
		return changeOutcome(l.server.url, e)
	}
	return l.lost(ctx, err, time.Since(start))
}

// unicodePwd is the change of a password in Active Directory ([MS-ADTS] 3.1.1.3.1.5):
// removing the old value is what makes it a change, and not a reset.
func unicodePwd(dn string, old, fresh Password) *ldap.ModifyRequest {
	m := ldap.NewModifyRequest(dn, nil)
	m.Delete("unicodePwd", []string{quotedUTF16(old)})
	m.Add("unicodePwd", []string{quotedUTF16(fresh)})
	return m
}

func quotedUTF16(p Password) string {
	var out []byte
	for _, unit := range utf16.Encode([]rune(`"` + string(p) + `"`)) {
		out = append(out, byte(unit), byte(unit>>8))
	}
	return string(out)
}

const oidPasswordModify = "1.3.6.1.4.1.4203.1.11.1"

// passwordModify is the extended operation of RFC 3062. go-ldap's own sends no
// controls, and the password policy control is what tells why one is refused.
func passwordModify(dn string, old, fresh Password) *ldap.ExtendedRequest {
	value := ber.NewSequence("PasswdModifyRequestValue")
	for tag, text := range []string{dn, string(old), string(fresh)} {
		value.AppendChild(ber.NewString(ber.ClassContext, ber.TypePrimitive, ber.Tag(tag), text, ""))
	}
	return &ldap.ExtendedRequest{
		Name:     oidPasswordModify,
		Value:    value,
		Controls: []ldap.Control{ldap.NewControlBeheraPasswordPolicy()},
	}
}
