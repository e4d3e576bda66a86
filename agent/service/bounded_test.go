package service

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
)

type talkative string

func (t talkative) String() string { return string(t) }

// TestEveryFieldIsShort has each kind of text that can be logged be as long as a
// cloud can make it, on every way to a log line.
func TestEveryFieldIsShort(t *testing.T) {
	long := strings.Repeat("a\n\x1b[2J", 1<<20)
	for name, value := range map[string]any{
		"text": long, "error": errors.New(long), "stringer": talkative(long), "list": []string{long, long},
	} {
		for way, write := range map[string]func(hclog.Logger){
			"log":   func(l hclog.Logger) { l.Log(hclog.Info, "m", name, value) },
			"trace": func(l hclog.Logger) { l.Trace("m", name, value) },
			"debug": func(l hclog.Logger) { l.Debug("m", name, value) },
			"info":  func(l hclog.Logger) { l.Info("m", name, value) },
			"warn":  func(l hclog.Logger) { l.Warn("m", name, value) },
			"error": func(l hclog.Logger) { l.Error("m", name, value) },
			"with":  func(l hclog.Logger) { l.With(name, value).Info("m") },
			"named": func(l hclog.Logger) { l.Named("n").ResetNamed("o").With("a", 1).Info("m", name, value) },
		} {
			var out bytes.Buffer
			write(Logger(hclog.LoggerOptions{Level: hclog.Trace}, &out))
			if out.Len() > 2*mostField || bytes.Count(out.Bytes(), []byte("\n")) > mostLines+5 ||
				bytes.ContainsRune(out.Bytes(), '\x1b') ||
				!bytes.Contains(out.Bytes(), []byte("m")) {
				t.Errorf("%s by %s: %d bytes, %d lines", name, way, out.Len(), bytes.Count(out.Bytes(), []byte("\n")))
			}
		}
	}
}

func TestWhatIsShortStays(t *testing.T) {
	var out bytes.Buffer
	Logger(hclog.LoggerOptions{}, &out).Info("m", "n", 7, "took", time.Second, "text", "grüße\nzwei", "on", true)
	for _, want := range []string{"n=7", "took=1s", "grüße", "zwei", "on=true"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in %s", want, &out)
		}
	}
	if s := Short(strings.Repeat("ü", 10), 5); s != "üü…" {
		t.Error(s)
	}
	Logger(hclog.LoggerOptions{Level: hclog.Error}, io.Discard).Info("m", "never", unasked{})
}

// unasked fails when it is made a text of for a level that is off.
type unasked struct{}

func (unasked) String() string { panic("asked for") }
