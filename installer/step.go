package installer

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

const name = "ldap-gateway"

func not(done func(context.Context) (bool, error)) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		ok, err := done(ctx)
		return !ok, err
	}
}

func exists(path string) func(context.Context) (bool, error) {
	return func(context.Context) (bool, error) {
		_, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil
		}
		return err == nil, err
	}
}

func absent(path string) func(context.Context) (bool, error) { return not(exists(path)) }

func removal(paths ...string) func(context.Context) error {
	return func(context.Context) (err error) {
		for _, path := range paths {
			err = errors.Join(err, removeAll(path))
		}
		return err
	}
}

func same(a, b string) (bool, error) {
	x, err := os.ReadFile(a)
	if err != nil {
		return false, err
	}
	y, err := os.ReadFile(b)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return bytes.Equal(x, y), err
}

// oldEnding is that of the program before, which an install that fails puts back.
const oldEnding = ".old"

func isCopied(from, to string) func(context.Context) (bool, error) {
	return func(context.Context) (bool, error) {
		if filepath.Clean(from) == to {
			return true, nil
		}
		return same(from, to)
	}
}

// copying puts the program where the service runs it from. One that runs cannot be
// written over, but it can be renamed.
func copying(from, to string) func(context.Context) error {
	return func(context.Context) error {
		b, err := os.ReadFile(from)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		fresh, old := to+".new", to+oldEnding
		if err := os.WriteFile(fresh, b, 0o755); err != nil {
			return err
		}
		_ = os.Remove(old) // of an earlier install; in use, it stays
		if _, err := os.Stat(to); err == nil {
			if err := os.Rename(to, old); err != nil {
				return err
			}
		}
		return os.Rename(fresh, to)
	}
}

// uncopying puts the program before back, or removes this one when there was none.
func uncopying(to string) func(context.Context) error {
	return func(context.Context) error {
		err := os.Rename(to+oldEnding, to)
		if errors.Is(err, fs.ErrNotExist) {
			return os.Remove(to)
		}
		return err
	}
}
