//go:build !linux && !windows

package installer

import (
	"fmt"
	"os"
	"runtime"
)

// Service says that it is not supported on this system.
func Service(executable string, _ bool) (install, uninstall Plan, err error) {
	return nil, nil, fmt.Errorf("installing as a service is not supported on %s yet: have its service manager run %q",
		runtime.GOOS, executable+" run")
}

// Start returns an empty plan: there is no service.
func Start() Plan { return nil }

// Stop returns an empty plan: there is no service.
func Stop() Plan { return nil }

func removeAll(path string) error { return os.RemoveAll(path) }
