package command

import (
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"
)

// What the system refuses is told with what helps; what says so itself is left alone.
func TestRemedies(t *testing.T) {
	for name, one := range map[string]struct {
		err  error
		want string
	}{
		"readonly":  {syscall.EROFS, "mount it for writing"},
		"full":      {syscall.ENOSPC, "make room"},
		"forbidden": {syscall.EACCES, "have the rights changed"},
		"owner":     {syscall.EPERM, "have the rights changed"},
		"missing":   {syscall.ENOENT, ""},
	} {
		t.Run(name, func(t *testing.T) {
			wrapped := fmt.Errorf("keys: %w", &fs.PathError{Op: "open", Path: "/state", Err: one.err})
			if got := remedy(wrapped); !strings.Contains(got, one.want) || (got == "") != (one.want == "") {
				t.Errorf("%q", got)
			}
		})
	}
}
