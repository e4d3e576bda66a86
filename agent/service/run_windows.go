package service

import (
	"context"
	"io"

	"github.com/hashicorp/go-hclog"
)

// Run calls serve and returns its error.
func Run(ctx context.Context, serve func(context.Context, *Manager) error) error {
	return serve(ctx, newManager(nil))
}

// Logger logs to out.
func Logger(opts hclog.LoggerOptions, out io.Writer) hclog.Logger {
	opts.Output = out
	return hclog.New(&opts)
}

// RecentLog returns the end of what the service logged.
func RecentLog(context.Context) ([]byte, error) { return nil, nil }
