//go:build unix

package service

import (
	"context"
	"fmt"
	"os/exec"
)

// RecentLog returns the end of what the service logged; the error says why it
// cannot be had.
func RecentLog(ctx context.Context, _ string) ([]byte, error) {
	out, err := exec.CommandContext(ctx, "journalctl", "--unit", Name, "--lines", "3000", "--no-pager", "--output", "short-iso").CombinedOutput()
	if err != nil {
		return out, fmt.Errorf("journalctl: %w", err)
	}
	return out[max(0, len(out)-mostLog):], nil
}
