//go:build unix

package cloud

import (
	"math"
	"syscall"
)

// descriptors is how many files and connections this process may have open.
func descriptors() int {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return manyDescriptors
	}
	return int(min(uint64(l.Cur), math.MaxInt32))
}
