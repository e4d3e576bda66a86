package configs

import "fmt"

// Secret is a value that prints as "[redacted]" whatever prints it.
type Secret string

const redacted = "[redacted]"

// Format implements fmt.Formatter for every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// String returns "[redacted]".
func (Secret) String() string { return redacted }

// MarshalText implements encoding.TextMarshaler, and by it JSON.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Reveal returns the value.
func (s Secret) Reveal() string { return string(s) }
