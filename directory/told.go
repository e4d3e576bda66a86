package directory

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"

	"github.com/go-ldap/ldap/v3"
)

// Told returns what of an error may be told where the customer's file does not let
// names out: words of this room and numbers, never a DN, an attribute's value, an
// address or a text of the server. All that err says is for the local log.
func Told(err error) string {
	var account *AccountError
	var password *PasswordError
	var result *ResultError
	var ticket *KerberosError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &account):
		return account.Kind.String()
	case errors.As(err, &password):
		return "new password refused: " + password.Reason.String()
	case errors.As(err, &result):
		return result.told()
	case errors.As(err, &ticket):
		return "Kerberos gives the service account no way in"
	}
	for _, plain := range plainErrors {
		if errors.Is(err, plain) {
			return plain.Error() + because(err)
		}
	}
	return "the directory could not be asked" + because(err)
}

// plainErrors are the sentinels, those that say the most first.
var plainErrors = []error{
	ErrNoSuchUser, ErrAmbiguousUser, ErrInvalidCredentials, ErrEmptyPassword, ErrAnswerLost, ErrClearText, ErrClosed,
	ErrUnavailable,
}

// told is the result without the server, its text and where it searched.
func (e *ResultError) told() string {
	op := "an operation"
	switch e.Op {
	case OpBind, OpChange, opServiceBind:
		op = e.Op
	}
	name := ldap.LDAPResultCodeMap[e.Code]
	if name == "" {
		name = "not a code of RFC 4511"
	}
	return withText(fmt.Sprintf("%s was answered with result %d (%s)", op, e.Code, name), remedy(e.Code))
}

// because says what kind of failure of the network or of TLS an error is; empty when
// it is none that is known.
func because(err error) string {
	var dns *net.DNSError
	var unverified *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var hostname x509.HostnameError
	var invalid x509.CertificateInvalidError
	var alert tls.AlertError
	var wait net.Error
	switch {
	case errors.As(err, &dns):
		return ": the name of a server is not known"
	case errors.As(err, &authority) && authority.Cert != nil && brokenSignature([]*x509.Certificate{authority.Cert}) != 0:
		return ": the certificate is signed by an algorithm that is broken"
	case errors.As(err, &authority):
		return ": the certificate's authority is not trusted"
	case errors.As(err, &hostname):
		return ": the certificate is for another name"
	case errors.As(err, &invalid), errors.As(err, &unverified):
		return ": the certificate is not valid"
	case errors.As(err, &alert):
		return ": TLS was refused"
	case errors.Is(err, syscall.ECONNREFUSED):
		return ": the connection was refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return ": the connection was closed"
	case errors.Is(err, errNoAnswer), errors.Is(err, context.DeadlineExceeded), errors.As(err, &wait) && wait.Timeout():
		return ": no answer in time"
	case errors.Is(err, context.Canceled):
		return ": it was called off"
	}
	return ""
}
