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
)

// scriptPath is where System V and OpenRC have scripts, and logPath where ours log.
const (
	scriptPath = "/etc/init.d/" + name
	logPath    = "/var/log/" + name + ".log"
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
	s, err = service.New(nil, &service.Config{Name: name, DisplayName: name, Executable: programPath, Arguments: []string{"run"},
		Option: service.KeyValue{"SysvScript": sysvScript, "OpenRCScript": openRC}})
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
	install = Step{Name: "make it a service of " + s.Platform(), Done: holds(scriptPath, text), Undo: remove, Apply: func(ctx context.Context) error {
		earlier, err := exists(scriptPath)(ctx)
		switch {
		case err != nil:
			return err
		case earlier:
			return os.WriteFile(scriptPath, []byte(text), 0o755)
		}
		return s.Install()
	}}
	return install, Plan{
		{Name: "stop the service", Done: absent(scriptPath), Apply: command(scriptPath, "stop")},
		{Name: "remove " + scriptPath, Done: absent(scriptPath), Apply: remove},
		{Name: "remove the links to it", Apply: func(context.Context) error { return removeLinks() }},
	}, nil
}

// removeLinks removes the links by which System V starts and stops the service.
func removeLinks() error {
	links, err := filepath.Glob("/etc/rc?.d/[SK][0-9][0-9]" + name)
	for _, link := range links {
		if gone := os.Remove(link); !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
	}
	return err
}
