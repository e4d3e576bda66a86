package installer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
)

// command runs a program of the system; what it prints is in the error.
func command(name string, args ...string) func(context.Context) error {
	return func(ctx context.Context) error {
		out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(string(out)))
		}
		return nil
	}
}

// succeeds tells whether a program of the system ends well.
func succeeds(name string, args ...string) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		err := exec.CommandContext(ctx, name, args...).Run()
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return false, nil
		}
		return err == nil, err
	}
}

func fails(name string, args ...string) func(context.Context) (bool, error) {
	return not(succeeds(name, args...))
}

func holds(path, text string) func(context.Context) (bool, error) {
	return func(context.Context) (bool, error) {
		b, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil
		}
		return string(b) == text, err
	}
}

func removeAll(path string) error { return os.RemoveAll(path) }
