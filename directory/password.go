package directory

import (
	"fmt"
	"io"
)

const redacted = "[redacted]"

// Password is a secret that prints as [redacted] wherever it is printed by mistake.
//
// It is a string and not a byte slice because go-hclog writes out the elements of
// a slice by itself and asks no method of its type; a conversion from []byte or
// from string works as well. For the same reason never log a slice of passwords.
type Password string

// Format writes [redacted] for every verb of package fmt.
func (Password) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, redacted) }

// String returns [redacted].
func (Password) String() string { return redacted }

// MarshalText returns [redacted]; encoding/json and hclog's JSON use it.
func (Password) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Refused says that a password must not reach the network: a simple bind with an
// empty password is an unauthenticated bind, which many servers answer with success
// (RFC 4513, section 5.1.2), and some read a leading NUL as the end of the text.
func (p Password) Refused() bool { return p == "" || p[0] == 0 }
