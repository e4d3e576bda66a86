//go:build unix

package profiled

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"syscall"
)

// Folder is the variable of the environment that names where profiles are written.
const Folder = "PROFILE_FOLDER"

// Begin and End are the signals that begin a profile of the processor, and end it.
const (
	Begin = syscall.SIGUSR1
	End   = syscall.SIGUSR2
)

// Before and After end the names of files beside a profile: where everything was allocated
// from the start of the program until the profile began, and until it ended.
const (
	Before = ".before"
	After  = ".after"
)

// Allocated is what was allocated from the begin to the end of a profile.
type Allocated struct{ Objects, Bytes uint64 }

// File is where the profile with that number of a program is, once it has ended;
// beside it, with ".json", is what was [Allocated].
func File(folder, program string, number int) string {
	return filepath.Join(folder, fmt.Sprintf("%s.%d", program, number))
}

// Watch has the program of that name write profiles from now on.
func Watch(program string) {
	told := make(chan os.Signal, 2)
	signal.Notify(told, Begin, End)
	go func() {
		for number := 0; ; number++ {
			if err := write(File(os.Getenv(Folder), program, number), told); err != nil {
				fmt.Fprintln(os.Stderr, "profile:", err)
			}
		}
	}()
}

// write writes one profile. It has its name only when it is whole.
func write(name string, told <-chan os.Signal) error {
	<-told
	f, err := os.Create(name + ".part")
	if err != nil {
		return err
	}
	sites := writeSites(name + Before)
	before := allocated()
	err = pprof.StartCPUProfile(f)
	<-told
	after := allocated()
	pprof.StopCPUProfile()
	b, failed := json.Marshal(Allocated{after.Objects - before.Objects, after.Bytes - before.Bytes})
	err = errors.Join(err, sites, failed, f.Close(), writeSites(name+After), os.WriteFile(name+".json", b, 0o600))
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

// writeSites writes where everything was allocated so far.
func writeSites(name string) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(pprof.Lookup("allocs").WriteTo(f, 0), f.Close())
}

func allocated() Allocated {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return Allocated{m.Mallocs, m.TotalAlloc}
}
