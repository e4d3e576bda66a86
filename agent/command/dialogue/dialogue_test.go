package dialogue

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

// walk asks three questions, the second only when the first was "two"; it returns
// what was asked, in order.
func walk(ctx context.Context, d *Dialogue) (asked []string, err error) {
	first := ""
	ask := func(name string) (string, error) {
		asked = append(asked, name)
		return d.Ask(ctx, Question{Text: name})
	}
	err = d.Walk(ctx,
		func(context.Context) (err error) { first, err = ask("a"); return err },
		func(context.Context) (err error) {
			if first == "two" {
				_, err = ask("b")
			}
			return err
		},
		func(context.Context) (err error) { _, err = ask("c"); return err },
	)
	return asked, err
}

// TestBack goes to the last question that was asked, over steps that asked nothing.
func TestBack(t *testing.T) {
	for name, c := range map[string]struct{ typed, asked string }{
		"straight":  {"one\nx\n", "a c"},
		"over-b":    {"one\nback\ntwo\nx\nx\n", "a c a b c"},
		"to-b":      {"two\nx\nback\nx\nx\n", "a b c b c"},
		"first":     {"back\none\nx\n", "a a c"},
		"twice":     {"two\nx\nback\nback\none\nx\n", "a b c b a c"},
		"no-end":    {"one\nx", "a c"},
		"dos":       {"one\r\nback\r\none\r\nx\r\n", "a c a c"},
		"not-empty": {"\n\none\nx\n", "a c"},
	} {
		t.Run(name, func(t *testing.T) {
			asked, err := walk(t.Context(), New(strings.NewReader(c.typed), io.Discard))
			if err != nil || !slices.Equal(asked, strings.Fields(c.asked)) {
				t.Errorf("%v %v", asked, err)
			}
		})
	}
}

func TestEnds(t *testing.T) {
	if _, err := walk(t.Context(), New(strings.NewReader("one\n"), io.Discard)); !errors.Is(err, ErrEnded) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	silent, w := io.Pipe() // a person who types nothing
	defer w.Close()
	d := New(silent, writerFunc(func(p []byte) { cancel() }))
	if _, err := walk(ctx, d); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// writerFunc is told what is printed.
type writerFunc func([]byte)

func (f writerFunc) Write(p []byte) (int, error) { f(p); return len(p), nil }

func TestAnswers(t *testing.T) {
	var out bytes.Buffer
	d := New(strings.NewReader("\n  hunter2 \nperhaps\nYES\n"), &out)
	d.Given = map[string]string{"base": "dc=x"}
	base, err := d.Ask(t.Context(), Question{Flag: "base", Text: "Base", Default: "dc=y"})
	if base != "dc=x" || err != nil {
		t.Error("a given answer is what Return means", base, err)
	}
	secret, err := d.Ask(t.Context(), Question{Text: "Password", Secret: true, Default: "older"})
	if secret != "  hunter2 " || err != nil {
		t.Errorf("a secret stays as it is: %q %v", secret, err)
	}
	if yes, err := d.Confirm(t.Context(), "", "Sure", false); !yes || err != nil {
		t.Error(yes, err)
	}
	if text := out.String(); strings.Contains(text, "hunter2") || strings.Contains(text, "older") ||
		!strings.Contains(text, "Base [dc=x]: ") {
		t.Error(text)
	}
	d.Silent = true
	if _, err := d.Ask(t.Context(), Question{Flag: "cloud", Text: "URL"}); err == nil ||
		!strings.Contains(err.Error(), "--cloud") {
		t.Error(err)
	}
}
