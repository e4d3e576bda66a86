package service

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/go-hclog"
)

// What others can have written into one field of a log line: the text of a cloud,
// of a server, of an error that has either in it.
const (
	mostField = 4096 // bytes
	mostLines = 20
)

// bounded is a logger whose every field is short. Whoever logs need not know where
// a text comes from.
type bounded struct{ hclog.Logger }

// Log implements hclog.Logger.
func (b bounded) Log(level hclog.Level, msg string, args ...any) {
	b.Logger.Log(level, msg, shortened(args)...)
}

// Trace implements hclog.Logger.
func (b bounded) Trace(msg string, args ...any) { b.at(hclog.Trace, msg, args) }

// Debug implements hclog.Logger.
func (b bounded) Debug(msg string, args ...any) { b.at(hclog.Debug, msg, args) }

// Info implements hclog.Logger.
func (b bounded) Info(msg string, args ...any) { b.at(hclog.Info, msg, args) }

// Warn implements hclog.Logger.
func (b bounded) Warn(msg string, args ...any) { b.at(hclog.Warn, msg, args) }

// Error implements hclog.Logger.
func (b bounded) Error(msg string, args ...any) { b.at(hclog.Error, msg, args) }

// at logs, and does no work for a level that is off.
func (b bounded) at(level hclog.Level, msg string, args []any) {
	if level >= b.GetLevel() {
		b.Logger.Log(level, msg, shortened(args)...)
	}
}

// With implements hclog.Logger.
func (b bounded) With(args ...any) hclog.Logger { return bounded{b.Logger.With(shortened(args)...)} }

// Named implements hclog.Logger.
func (b bounded) Named(name string) hclog.Logger { return bounded{b.Logger.Named(name)} }

// ResetNamed implements hclog.Logger.
func (b bounded) ResetNamed(name string) hclog.Logger { return bounded{b.Logger.ResetNamed(name)} }

// shortened returns args with every text cut; the caller's slice is left alone.
func shortened(args []any) []any {
	out := make([]any, len(args))
	for i, a := range args {
		out[i] = a
		switch v := a.(type) {
		case string:
			out[i] = Short(v, mostField)
		case error:
			out[i] = Short(v.Error(), mostField)
		case fmt.Stringer:
			out[i] = Short(v.String(), mostField)
		case []string:
			out[i] = Short(strings.Join(v, ", "), mostField)
		}
	}
	return out
}

// Short returns at most so many bytes of a text, "…" at its end when it was cut,
// without what a terminal would act on and with no more than a few line ends.
func Short(s string, most int) string {
	end := ""
	if len(s) > most {
		s, end = s[:most], "…"
		for range utf8.UTFMax { // not in the middle of a character
			if r, size := utf8.DecodeLastRuneInString(s); r != utf8.RuneError || size != 1 {
				break
			}
			s = s[:len(s)-1]
		}
	}
	lines := 0
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' && lines < mostLines:
			lines++
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r):
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?")) + end
}
