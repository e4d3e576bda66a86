package installer

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
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

func removal(path string) func(context.Context) error {
	return func(context.Context) error { return os.RemoveAll(path) }
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
