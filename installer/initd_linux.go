package installer

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/kardianos/service"
)

// The scripts take the place of the library's own, which would run the agent as root.
var (
	//go:embed linux/ldap-gateway.sysv
	sysvScript string
	//go:embed linux/ldap-gateway.openrc
	openRCScript string
	//go:embed linux/ldap-gateway.logrotate
	rotation string
)

// Where System V and OpenRC have scripts, where ours log, and what keeps that short.
const (
	scriptPath   = "/etc/init.d/" + name
	logPath      = "/var/log/" + name + ".log"
	rotationPath = "/etc/logrotate.d/" + name
)

// hasSystemd tells whether systemd starts the services of this machine.
func hasSystemd() bool {
	_, err := exec.LookPath("systemctl")
	return err == nil
}

// packagedScript tells whether a package has brought a script for OpenRC.
func packagedScript() bool {
	text, err := os.ReadFile(scriptPath)
	return err == nil && bytes.Contains(text, []byte("command=/usr/bin/"+name))
}

// scripted returns the service of a machine without systemd, and its script. The
// library knows which init system there is, and what else it wants.
func scripted() (s service.Service, text string, err error) {
	openRC := strings.ReplaceAll(openRCScript, "@PROGRAM@", programPath)
	s, err = service.New(nil, &service.Config{
		Name:        name,
		DisplayName: name,
		Executable:  programPath,
		Arguments:   []string{"run"},
		Option:      service.KeyValue{"SysvScript": sysvScript, "OpenRCScript": openRC},
	})
	if err != nil {
		return nil, "", err
	}
	switch s.Platform() {
	case "unix-systemv":
		return s, sysvScript, nil
	case "linux-openrc":
		return s, openRC, nil
	}
	return nil, "", fmt.Errorf("%s is not supported", s.Platform())
}

// script returns the step that makes the program a service of System V or OpenRC,
// and the steps that take it off. The library leaves its links behind.
func script() (install Step, uninstall Plan, err error) {
	s, text, err := scripted()
	if err != nil {
		return install, nil, err
	}
	remove := func(context.Context) error { return s.Uninstall() }
	install = Step{
		Name: "make it a service of " + s.Platform(),
		Done: holds(scriptPath, text),
		Undo: remove,
		Apply: func(ctx context.Context) error {
			earlier, err := exists(scriptPath)(ctx)
			switch {
			case err != nil:
				return err
			case earlier:
				return os.WriteFile(scriptPath, []byte(text), 0o755)
			}
			return s.Install()
		},
	}
	return install, Plan{
		{Name: "stop the service", Done: absent(scriptPath), Apply: command(scriptPath, "stop")},
		{Name: "remove " + scriptPath, Done: absent(scriptPath), Apply: remove},
		{Name: "remove the links to it", Apply: removeMatching("/etc/rc?.d/[SK][0-9][0-9]" + name)},
		{Name: "remove " + rotationPath, Done: absent(rotationPath), Apply: removal(rotationPath)},
	}, nil
}

// rotating returns the step that has logrotate, where it is, keep the log short.
func rotating() Step {
	return Step{
		Name: "write " + rotationPath,
		Done: holds(rotationPath, rotation),
		Undo: removal(rotationPath),
		Apply: func(context.Context) error {
			err := os.WriteFile(rotationPath, []byte(rotation), 0o644)
			if errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("there is no logrotate: %w", errors.ErrUnsupported)
			}
			return err
		},
	}
}

// removeMatching removes the files and links of a pattern.
func removeMatching(pattern string) func(context.Context) error {
	return func(context.Context) error {
		found, err := filepath.Glob(pattern)
		for _, path := range found {
			if gone := os.Remove(path); !errors.Is(gone, fs.ErrNotExist) {
				err = errors.Join(err, gone)
			}
		}
		return err
	}
}
