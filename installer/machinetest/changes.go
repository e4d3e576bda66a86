//go:build linux

package machinetest

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Changes returns what differs from the files of the machine that the test runs
// on: the path of each file, link and folder, and whether it is "added", "changed"
// or "removed". What has been written with the same content and mode is no change.
func (m *Machine) Changes() map[string]string {
	m.t.Helper()
	upper, all := filepath.Join(m.dir, "upper"), map[string]string{}
	m.must(filepath.WalkDir(upper, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // it runs, and may remove what it made
		}
		if err != nil || path == upper {
			return err
		}
		was := path[len(upper):]
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		kind, err := compare(path, info, was)
		if kind != "" {
			all[was] = kind
		}
		return err
	}))
	return all
}

// compare tells how a file of the upper layer differs from the one below.
func compare(path string, info fs.FileInfo, was string) (string, error) {
	before, err := os.Lstat(was)
	absent := errors.Is(err, fs.ErrNotExist)
	if err != nil && !absent {
		return "", err
	}
	switch sys := info.Sys().(*syscall.Stat_t); {
	case info.Mode()&fs.ModeCharDevice != 0 && sys.Rdev == 0: // a whiteout
		if absent {
			return "", nil
		}
		return "removed", nil
	case absent:
		return "added", nil
	case info.Mode() != before.Mode():
		return "changed", nil
	case info.IsDir():
		return "", nil
	case info.Mode()&fs.ModeSymlink != 0:
		a, _ := os.Readlink(path)
		b, err := os.Readlink(was)
		return changed(a == b), err
	}
	a, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	b, err := os.ReadFile(was)
	return changed(bytes.Equal(a, b)), err
}

func changed(same bool) string {
	if same {
		return ""
	}
	return "changed"
}
