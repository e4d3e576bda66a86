//go:build !linux && !windows

package cloud

import (
	"errors"
	"os"
)

// lock takes no lock: what there is here would be lost when SQLite opens the file, or keep SQLite out.
func lock(*os.File) error { return errors.ErrUnsupported }
