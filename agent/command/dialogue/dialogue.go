package dialogue

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// ErrBack is the answer "back".
var ErrBack = errors.New("back to the question before")

// ErrMissing says that nobody is asked, and an answer was not given beforehand.
var ErrMissing = errors.New("an answer is missing")

// ErrEnded says that the input ended where an answer was wanted.
var ErrEnded = errors.New("the input ended before everything was answered")

// Dialogue asks questions. Not safe for concurrent use.
type Dialogue struct {
	Out io.Writer
	// Given has answers by the names of their flags. Where a person is asked they
	// are what Return alone means.
	Given map[string]string
	// Silent asks nobody: Given and the defaults are the answers.
	Silent bool

	in       *bufio.Reader
	terminal int // file descriptor of In; -1: none
	asked    int
}

// New returns a dialogue with whoever is at the other end of in and out.
func New(in io.Reader, out io.Writer) *Dialogue {
	d := &Dialogue{Out: out, in: bufio.NewReader(in), terminal: -1}
	if f, ok := in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		d.terminal = int(f.Fd())
	}
	return d
}

// Question is one question.
type Question struct {
	Flag    string // that has the answer beforehand
	Text    string
	Default string // what Return alone means; a given answer goes before
	Secret  bool
	Empty   bool // may be left empty
}

// Ask returns the answer, without blanks around it unless it is a secret. Errors:
// ErrBack, ErrEnded, the context's; and with Silent ErrMissing, which names the flag.
func (d *Dialogue) Ask(ctx context.Context, q Question) (string, error) {
	if given, ok := d.Given[q.Flag]; ok {
		q.Default = given
	}
	if d.Silent {
		if q.Default == "" && !q.Empty {
			return "", fmt.Errorf("%w: give --%s: %s", ErrMissing, q.Flag, q.Text)
		}
		return q.Default, nil
	}
	d.asked++
	for {
		prompt := q.Text
		if q.Default != "" && !q.Secret {
			prompt += " [" + q.Default + "]"
		}
		fmt.Fprintf(d.Out, "%s: ", prompt)
		answer, err := d.line(ctx, q.Secret)
		switch {
		case err != nil:
			fmt.Fprintln(d.Out)
			return "", err
		case answer == "back":
			return "", ErrBack
		case answer == "":
			answer = q.Default
		}
		if answer != "" || q.Empty {
			return answer, nil
		}
	}
}

// Confirm asks a question of yes and no.
func (d *Dialogue) Confirm(ctx context.Context, flag, text string, fallback bool) (bool, error) {
	q := Question{Flag: flag, Text: text, Default: word(fallback)}
	for {
		answer, err := d.Ask(ctx, q)
		if err != nil {
			return false, err
		}
		switch strings.ToLower(answer) {
		case "y", "yes":
			return true, nil
		case "n", "no":
			return false, nil
		}
		if d.Silent {
			return false, fmt.Errorf("--%s: write yes or no", flag)
		}
		fmt.Fprintln(d.Out, `Type "yes", "no" or "back".`)
	}
}

func word(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// Step asks some questions. It returns ErrBack to have the step before asked again.
type Step func(ctx context.Context) error

// Walk takes the steps in their order. After ErrBack it goes on with the last step
// before that asked anything.
func (d *Dialogue) Walk(ctx context.Context, steps ...Step) error {
	var asking []int
	for i := 0; i < len(steps); i++ {
		before := d.asked
		err := steps[i](ctx)
		switch {
		case errors.Is(err, ErrBack) && len(asking) == 0:
			fmt.Fprintln(d.Out, "This is the first question. Ctrl-C ends; nothing was changed.")
			i--
		case errors.Is(err, ErrBack):
			i, asking = asking[len(asking)-1]-1, asking[:len(asking)-1]
		case err != nil:
			return err
		case d.asked > before:
			asking = append(asking, i)
		}
	}
	return nil
}

type read struct {
	text string
	err  error
}

// line reads one line. What reads it is left behind when the context ends first:
// a terminal cannot be read with a deadline on every system.
func (d *Dialogue) line(ctx context.Context, secret bool) (string, error) {
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	hidden := secret && d.terminal >= 0 && d.in.Buffered() == 0
	if hidden {
		before, err := term.GetState(d.terminal)
		if err != nil {
			return "", err
		}
		defer func() { _ = term.Restore(d.terminal, before) }()
	}
	done := make(chan read, 1)
	go func() { done <- d.read(hidden) }()
	select {
	case r := <-done:
		if !secret {
			r.text = strings.TrimSpace(r.text)
		}
		return r.text, r.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func (d *Dialogue) read(hidden bool) read {
	if hidden {
		b, err := term.ReadPassword(d.terminal)
		fmt.Fprintln(d.Out)
		return read{string(b), ended(err)}
	}
	text, err := d.in.ReadString('\n')
	if text != "" && errors.Is(err, io.EOF) {
		err = nil // a last line without an end
	}
	return read{strings.TrimRight(text, "\r\n"), ended(err)}
}

func ended(err error) error {
	if errors.Is(err, io.EOF) {
		return ErrEnded
	}
	return err
}
