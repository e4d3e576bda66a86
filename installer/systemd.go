//go:build linux

package installer

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strings"

	"ldap-gateway/configs"
)

//go:embed linux/ldap-gateway.service
var unit string

// Where things go. They are what the unit and the defaults of the command line say.
const (
	programPath = "/usr/local/bin/ldap-gateway"
	unitPath    = "/etc/systemd/system/ldap-gateway.service"
	filePath    = "/etc/ldap-gateway/gateway.hcl"
	statePath   = "/var/lib/ldap-gateway"
)

// packagedUnits are where a package has its unit. The program then belongs to the
// package manager.
var packagedUnits = []string{"/usr/lib/systemd/system/ldap-gateway.service", "/lib/systemd/system/ldap-gateway.service"}

func packaged() bool {
	return slices.ContainsFunc(packagedUnits, func(path string) bool {
		_, err := os.Stat(path)
		return err == nil
	})
}

// Service returns the plan that makes the program at executable a service that
// starts with the machine, and the plan that takes it off; purge takes the file
// and the keys along. The service is not started: see Start. Where a package
// brought the program, only the start with the machine is left to do.
func Service(executable string, purge bool) (install, uninstall Plan, err error) {
	if !hasSystemd() {
		return withoutSystemd(executable, purge)
	}
	enable := Step{
		Name:  "start the service with the machine",
		Done:  succeeds("systemctl", "is-enabled", "--quiet", name),
		Apply: command("systemctl", "enable", "--quiet", name),
		Undo:  command("systemctl", "disable", "--quiet", name),
	}
	if packaged() {
		return Plan{enable}, notOurs(), nil
	}
	text := strings.ReplaceAll(unit, "@PROGRAM@", programPath)
	install = append(program(executable), Plan{
		{
			Name:  "write " + unitPath,
			Done:  holds(unitPath, text),
			Apply: func(context.Context) error { return os.WriteFile(unitPath, []byte(text), 0o644) },
			Undo:  removal(unitPath),
		},
		{Name: "have systemd read it", Apply: command("systemctl", "daemon-reload")},
		enable,
	}...)
	uninstall = append(Stop(), Plan{
		{
			Name:  "do not start it with the machine",
			Done:  fails("systemctl", "is-enabled", "--quiet", name),
			Apply: command("systemctl", "disable", "--quiet", name),
		},
		{Name: "remove " + unitPath, Done: absent(unitPath), Apply: removal(unitPath)},
		{Name: "have systemd forget it", Apply: command("systemctl", "daemon-reload")},
		{Name: "remove " + programPath, Done: absent(programPath), Apply: removal(programPath, programPath+oldEnding)},
	}...)
	if purge {
		uninstall = append(uninstall, traces()...)
	}
	return install, uninstall, nil
}

// notOurs refuses to take off what a package has brought.
func notOurs() Plan {
	return Plan{{Name: "remove the package", Apply: func(context.Context) error {
		return errors.New("a package brought the service: remove it with the package manager")
	}}}
}

// withoutSystemd is Service for System V and OpenRC.
func withoutSystemd(executable string, purge bool) (install, uninstall Plan, err error) {
	if packagedScript() {
		return Plan{
			{
				Name:  "start the service with the machine",
				Done:  exists("/etc/runlevels/default/" + name),
				Apply: command("rc-update", "add", name, "default"),
				Undo:  command("rc-update", "delete", name, "default"),
			},
		}, notOurs(), nil
	}
	made, gone, err := script()
	if err != nil {
		return nil, nil, fmt.Errorf("no init system is known here: start %q by your own: %w", executable+" run", err)
	}
	uninstall = append(gone, Step{
		Name:  "remove " + programPath,
		Done:  absent(programPath),
		Apply: removal(programPath, programPath+oldEnding),
	})
	if purge {
		uninstall = append(uninstall, Step{Name: "remove " + logPath, Apply: removeMatching(logPath + "*")})
		uninstall = append(uninstall, traces()...)
	}
	return append(program(executable), rotating(), made), uninstall, nil
}

// program returns the steps that put the program, its account and its folders there.
func program(executable string) Plan {
	return Plan{
		account(),
		// A home or a temporary folder is hidden from the service.
		{
			Name:  "copy this program to " + programPath,
			Done:  isCopied(executable, programPath),
			Apply: copying(executable, programPath),
			Undo:  uncopying(programPath),
		},
		folder(filepath.Dir(filePath), 0o750, command("chgrp", name, filepath.Dir(filePath))),
		folder(statePath, 0o700, command("chown", name+":"+name, statePath)),
		{
			Name:  "write a sample " + filePath,
			Done:  exists(filePath),
			Apply: func(context.Context) error { return owned(filePath, configs.Minimal) },
		},
	}
}

// traces returns the steps that remove what a customer may want to keep.
func traces() Plan {
	_, removeAccount := accountCommands()
	return Plan{
		{
			Name:  "remove " + filepath.Dir(filePath),
			Done:  absent(filepath.Dir(filePath)),
			Apply: removal(filepath.Dir(filePath)),
		},
		{Name: "remove " + statePath + ", with the keys", Done: absent(statePath), Apply: removal(statePath)},
		{Name: "remove the account " + name, Done: not(accountExists), Apply: removeAccount},
	}
}

func account() Step {
	add, remove := accountCommands()
	return Step{
		Name:  "make the account " + name + ", which nobody can sign on with",
		Done:  accountExists,
		Apply: add,
		Undo:  remove,
	}
}

// accountCommands are those of most systems, or else BusyBox's, as on Alpine Linux.
func accountCommands() (add, remove func(context.Context) error) {
	if _, err := exec.LookPath("useradd"); err == nil {
		return command(
			"useradd",
			"--system",
			"--user-group",
			"--no-create-home",
			"--home-dir",
			statePath,
			"--shell",
			"/usr/sbin/nologin",
			name,
		), command("userdel", name)
	}
	add = command(
		"sh",
		"-c",
		fmt.Sprintf("busybox addgroup -S %[1]s && busybox adduser -S -D -H -h %[2]s -s /sbin/nologin -G %[1]s %[1]s", name,
			statePath),
	)
	return add, command("busybox", "deluser", name)
}

func accountExists(context.Context) (bool, error) {
	_, err := user.Lookup(name)
	var unknown user.UnknownUserError
	if errors.As(err, &unknown) {
		return false, nil
	}
	return err == nil, err
}

// folder makes a folder and gives it to whom it is for.
func folder(path string, mode os.FileMode, give func(context.Context) error) Step {
	return Step{Name: "make " + path, Done: exists(path), Apply: func(ctx context.Context) error {
		if err := os.MkdirAll(path, mode); err != nil {
			return err
		}
		return give(ctx)
	}, Undo: removal(path)}
}

// owned writes a file that the service can read and only root can change.
func owned(path, text string) error {
	if err := os.WriteFile(path, []byte(text), 0o640); err != nil {
		return err
	}
	return command("chgrp", name, path)(context.Background())
}

// Start returns the plan that starts the service, or has it start anew.
func Start() Plan {
	if !hasSystemd() {
		return Plan{{Name: "start the service", Apply: command(scriptPath, "restart")}}
	}
	if !runsSystemd("/run/systemd/system") {
		return Plan{{Name: "start the service", Apply: func(context.Context) error { return errNoManager }}}
	}
	return Plan{{Name: "start the service", Apply: startUnit}}
}

// errNoManager says what to do where a package brought a unit and nothing reads it.
var errNoManager = errors.New("systemd is installed and does not run on this machine, as in a container:" +
	" run the program by hand or by what starts programs here: ldap-gateway run")

// runsSystemd tells whether the machine was started by systemd, which has that folder then
// (sd_booted).
func runsSystemd(folder string) bool {
	info, err := os.Lstat(folder)
	return err == nil && info.IsDir()
}

// startUnit starts the service, or has it start anew. Its error has the last that
// the service said.
func startUnit(ctx context.Context) error {
	err := command("systemctl", "restart", name)(ctx)
	if err == nil {
		return nil
	}
	said, journal := exec.CommandContext(
		ctx,
		"journalctl",
		"--unit",
		name,
		"--lines",
		"8",
		"--output",
		"cat",
		"--no-pager",
	).Output()
	if journal != nil {
		return err
	}
	return fmt.Errorf("%w\nThe last that it said:\n%s", err, said)
}

// Stop returns the plan that stops the service.
func Stop() Plan {
	if !hasSystemd() {
		_, stop, err := script()
		if err != nil {
			return nil
		}
		return stop[:1]
	}
	return Plan{
		{
			Name:  "stop the service",
			Done:  fails("systemctl", "is-active", "--quiet", name),
			Apply: command("systemctl", "stop", name),
		},
	}
}
