//go:build unix

package service

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
)

// logPath is where System V and OpenRC have the service log.
const logPath = "/var/log/" + Name + ".log"

// RecentLog returns the end of what the service logged; the error says why it
// cannot be had.
func RecentLog(ctx context.Context, _ string) ([]byte, error) {
	out, err := exec.CommandContext(
		ctx,
		"journalctl",
		"--unit",
		Name,
		"--lines",
		"3000",
		"--no-pager",
		"--output",
		"short-iso",
	).CombinedOutput()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		out, err = os.ReadFile(logPath)
	case err != nil:
		err = fmt.Errorf("journalctl: %w", err)
	}
	return out[max(0, len(out)-mostLog):], err
}
