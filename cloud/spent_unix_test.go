//go:build unix

package cloud

import (
	"syscall"
	"testing"
	"time"
)

// spent returns the processor's time that this process has had.
func spent(t testing.TB) time.Duration {
	t.Helper()
	var all syscall.Rusage
	must(t, syscall.Getrusage(syscall.RUSAGE_SELF, &all))
	return time.Duration(all.Utime.Nano() + all.Stime.Nano())
}
