package command

import (
	"context"
	"ldap-gateway/cloud/throttle"
	"log/slog"

	"github.com/hashicorp/go-hclog"
)

// slogHandler hands what libraries say by log/slog to our log. What they call an
// error is somebody's wrong request more often than not, so it is a warning here.
// Of one sentence so many lines are written an hour: most are strangers' requests.
type slogHandler struct {
	log   hclog.Logger
	lines *throttle.Sample
	group string // in front of names, with a dot at its end
}

var _ slog.Handler = slogHandler{}

// Enabled implements slog.Handler.
// What our log would drop is not even put together.
func (h slogHandler) Enabled(_ context.Context, l slog.Level) bool {
	return h.log.GetLevel() <= levelOf(l)
}

// Handle implements slog.Handler.
// It never fails.
func (h slogHandler) Handle(_ context.Context, r slog.Record) error {
	var args []any
	// Values that are made only when they are wanted are resolved here.
	r.Attrs(func(a slog.Attr) bool {
		args = append(args, h.group+a.Key, a.Value.Resolve().String())
		return true
	})
	h.log.Log(h.lines.Level(r.Message, levelOf(r.Level)), r.Message, args...)
	return nil
}

// WithAttrs implements slog.Handler.
func (h slogHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	// The handler is a copy: the one that was asked stays as it was.
	for _, a := range attrs {
		h.log = h.log.With(h.group+a.Key, a.Value.Resolve().String())
	}
	return h
}

// WithGroup implements slog.Handler.
func (h slogHandler) WithGroup(name string) slog.Handler {
	h.group += name + "."
	return h
}

// levelOf returns the level in our log, at most a warning.
func levelOf(l slog.Level) hclog.Level {
	switch {
	case l < slog.LevelInfo:
		return hclog.Debug
	case l < slog.LevelWarn:
		return hclog.Info
	}
	return hclog.Warn
}
