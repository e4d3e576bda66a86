package installer

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/eventlog"
	"golang.org/x/sys/windows/svc/mgr"

	"ldap-gateway/configs"
)

const (
	displayName = "LDAP gateway"
	description = "Joins the directory to the cloud: dials out, checks passwords in the directory, and brings each " +
		"person's direct groups along."
	sources = `SYSTEM\CurrentControlSet\Services\EventLog\Application\` // of the event log
)

// programPath is where the service runs the program from.
func programPath() string {
	files := os.Getenv("ProgramFiles")
	if files == "" {
		files = `C:\Program Files`
	}
	return filepath.Join(files, name, name+".exe")
}

// wanted is how the service is registered. Its account is virtual: it has no
// password, nobody can sign on with it, and it has no right but its own.
func wanted() mgr.Config {
	return mgr.Config{
		ServiceType:      windows.SERVICE_WIN32_OWN_PROCESS,
		StartType:        mgr.StartAutomatic,
		ErrorControl:     mgr.ErrorNormal,
		BinaryPathName:   commandLine(),
		Dependencies:     []string{"Tcpip", "Dnscache"},
		ServiceStartName: `NT SERVICE\` + name,
		DisplayName:      displayName,
		Description:      description,
		SidType:          windows.SERVICE_SID_TYPE_UNRESTRICTED,
		DelayedAutoStart: true,
	}
}

// arguments name the folders: an account may have others for the usual ones.
func arguments() []string {
	return []string{"run", "--service", "--config", configs.SystemPath(), "--state", configs.SystemState()}
}

// commandLine is what the service manager is to start, written as mgr writes it.
func commandLine() string {
	line := syscall.EscapeArg(programPath())
	for _, a := range arguments() {
		line += " " + syscall.EscapeArg(a)
	}
	return line
}

// recovery is what the service manager does when the service ends without being
// told to, also when it ended with an error of its own.
var recovery = []mgr.RecoveryAction{
	{Type: mgr.ServiceRestart, Delay: 5 * time.Second},
	{Type: mgr.ServiceRestart, Delay: 30 * time.Second},
	{Type: mgr.ServiceRestart, Delay: time.Minute},
}

const resetAfter = 24 * 60 * 60 // seconds without a failure, after which the first action is next again

// Service returns the plan that makes the program at executable a service that
// starts with the machine, and the plan that takes it off; purge takes the file
// and the keys along. The service is not started: see Start.
func Service(executable string, purge bool) (install, uninstall Plan, err error) {
	file, state := configs.SystemPath(), configs.SystemState()
	folder, program := filepath.Dir(file), programPath()
	install = Plan{
		{
			Name:  "copy this program to " + program,
			Done:  isCopied(executable, program),
			Apply: copying(executable, program),
			Undo:  uncopying(program),
		},
		{Name: "register the service " + name, Done: registered, Apply: register, Undo: unregister},
		{Name: "start it after the others, and give it an identity of its own", Apply: withService(configure)},
		{
			Name: "have it restarted after 5, 30 and 60 seconds when it crashes",
			Apply: withService(
				func(_ context.Context, s *mgr.Service) error { return s.SetRecoveryActions(recovery, resetAfter) },
			),
		},
		{
			Name: "and when it ends with an error",
			Apply: withService(
				func(_ context.Context, s *mgr.Service) error { return s.SetRecoveryActionsOnNonCrashFailures(true) },
			),
		},
		{Name: "make it a source of the event log", Done: isSource, Apply: addSource, Undo: removeSource},
		{
			Name:  "make " + folder + ", which only administrators and the service can read",
			Apply: securing(folder, readable),
			Undo:  nil,
		},
		{
			Name:  "make " + state + ", which only administrators and the service can read and write",
			Apply: securing(state, writable),
			Undo:  nil,
		},
		{
			Name:  "write a sample " + file,
			Done:  exists(file),
			Apply: func(context.Context) error { return os.WriteFile(file, []byte(configs.Minimal), 0o600) },
		},
	}
	uninstall = append(Stop(), Plan{
		{Name: "unregister the service " + name, Done: not(registered), Apply: unregister},
		{Name: "remove it from the event log", Done: not(isSource), Apply: removeSource},
		{Name: "remove " + filepath.Dir(program), Done: absent(filepath.Dir(program)), Apply: removal(filepath.Dir(program))},
	}...)
	if purge {
		uninstall = append(uninstall, Step{
			Name:  "remove " + folder + ", with the keys",
			Done:  absent(folder),
			Apply: removal(folder),
		})
	}
	return install, uninstall, nil
}

// Start returns the plan that starts the service, or has it start anew.
func Start() Plan {
	return append(Stop(), Step{
		Name: "start the service",
		Apply: withService(func(ctx context.Context, s *mgr.Service) error {
			if err := s.Start(); err != nil {
				return err
			}
			return await(ctx, s, svc.Running)
		}),
	})
}

// Stop returns the plan that stops the service.
func Stop() Plan {
	return Plan{
		{Name: "stop the service", Done: isStopped, Apply: withService(func(ctx context.Context, s *mgr.Service) error {
			if _, err := s.Control(svc.Stop); err != nil && !errors.Is(err, windows.ERROR_SERVICE_NOT_ACTIVE) {
				return err
			}
			return await(ctx, s, svc.Stopped)
		})},
	}
}

// await waits until the service is in a state, half a minute at most.
func await(ctx context.Context, s *mgr.Service, state svc.State) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		now, err := s.Query()
		switch {
		case err != nil:
			return err
		case now.State == state:
			return nil
		case state == svc.Running && now.State == svc.Stopped:
			return errors.New("it ended at once: the event log and " + configs.LogPath(configs.SystemState()) + " say why")
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return errors.New("the service does not get there: end its process in the task manager, and try again")
		}
	}
}

// withService opens the service for one thing that is done to it.
func withService(do func(context.Context, *mgr.Service) error) func(context.Context) error {
	return func(ctx context.Context) error {
		m, err := mgr.Connect()
		if err != nil {
			return asAdministrator(err)
		}
		defer func() { _ = m.Disconnect() }()
		s, err := m.OpenService(name)
		if err != nil {
			return asAdministrator(err)
		}
		defer s.Close()
		return unsupported(do(ctx, s))
	}
}

func asAdministrator(err error) error {
	if errors.Is(err, windows.ERROR_ACCESS_DENIED) {
		return errors.Join(err, errors.New("run it as administrator"))
	}
	return err
}

// unsupported marks what this Windows does not know.
func unsupported(err error) error {
	if errors.Is(err, windows.ERROR_INVALID_LEVEL) {
		return errors.Join(errors.ErrUnsupported, err)
	}
	return err
}

// registered tells whether the service is there and runs this program.
func registered(ctx context.Context) (is bool, err error) {
	err = withService(func(_ context.Context, s *mgr.Service) error {
		path, err := startsNow(s)
		is = path == commandLine()
		return err
	})(ctx)
	if errors.Is(err, windows.ERROR_SERVICE_DOES_NOT_EXIST) {
		return false, nil
	}
	return is, err
}

// startsNow returns what the service manager starts. The rest of the service's
// configuration is not asked for: not every Windows has all of it.
func startsNow(s *mgr.Service) (string, error) {
	size := uint32(8 << 10) // the most that there is
	b := make([]byte, size)
	c := (*windows.QUERY_SERVICE_CONFIG)(unsafe.Pointer(&b[0]))
	if err := windows.QueryServiceConfig(s.Handle, c, size, &size); err != nil {
		return "", err
	}
	return windows.UTF16PtrToString(c.BinaryPathName), nil
}

func isStopped(ctx context.Context) (is bool, err error) {
	err = withService(func(_ context.Context, s *mgr.Service) error {
		now, err := s.Query()
		is = now.State == svc.Stopped
		return err
	})(ctx)
	if errors.Is(err, windows.ERROR_SERVICE_DOES_NOT_EXIST) {
		return true, nil
	}
	return is, err
}

// register makes the service, or has one that is there run this program.
func register(ctx context.Context) error {
	m, err := mgr.Connect()
	if err != nil {
		return asAdministrator(err)
	}
	defer func() { _ = m.Disconnect() }()
	c := wanted()
	c.SidType, c.DelayedAutoStart = 0, false // in a step of their own
	if s, err := m.OpenService(name); err == nil {
		defer s.Close()
		if err := unsupported(s.UpdateConfig(c)); !errors.Is(err, errors.ErrUnsupported) {
			return err
		}
		return nil
	}
	s, err := m.CreateService(name, programPath(), c, arguments()...)
	if err != nil {
		return asAdministrator(err)
	}
	return s.Close()
}

func configure(_ context.Context, s *mgr.Service) error { return s.UpdateConfig(wanted()) }

// unregister deletes the service, which has to be stopped: one that runs is only
// marked, and is in the way of the next install.
func unregister(ctx context.Context) error {
	for _, s := range Stop() {
		if done, err := s.done(ctx); err == nil && !done {
			_ = s.Apply(ctx)
		}
	}
	return withService(func(_ context.Context, s *mgr.Service) error { return s.Delete() })(ctx)
}

func isSource(context.Context) (bool, error) {
	k, err := registry.OpenKey(registry.LOCAL_MACHINE, sources+name, registry.QUERY_VALUE)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, k.Close()
}

func addSource(context.Context) error {
	return asAdministrator(eventlog.InstallAsEventCreate(name, eventlog.Error|eventlog.Warning|eventlog.Info))
}

func removeSource(context.Context) error { return asAdministrator(eventlog.Remove(name)) }
