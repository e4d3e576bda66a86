package command

import (
	"errors"
	"io/fs"
	"syscall"
)

// remedy returns what helps against what the system refuses, to follow the error, which says what and where; empty:
// nobody knows, or the error says it.
func remedy(err error) string {
	switch {
	case errors.Is(err, syscall.EROFS):
		return ". Its disk can only be read: mount it for writing, or name a place on another"
	case errors.Is(err, syscall.ENOSPC):
		return ". Its disk is full: make room, or name a place on another"
	case errors.Is(err, fs.ErrPermission):
		return ". Run it as who owns that, such as the service's user, or have the rights changed"
	}
	return ""
}
