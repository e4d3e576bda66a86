package cloud

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/store/pgtest"
)

// fillDisk leaves no room on the disk of a folder; what it returns makes room.
func fillDisk(t *testing.T, at string) (empty func()) {
	f, err := os.Create(filepath.Join(at, "fill"))
	must(t, err)
	for b := make([]byte, 512); err == nil; {
		_, err = f.Write(b)
	}
	must(t, f.Close())
	return func() { must(t, os.Remove(f.Name())) }
}

// A database that takes no writes is one line of the log when that begins and one when it is over, with what
// happens, where, and what helps, however often something is written meanwhile.
func TestLogOfWrites(t *testing.T) {
	at := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=4m,mode=700", "tmpfs", at).CombinedOutput(); err != nil {
		t.Fatalf("mount: %v\n%s(the test needs root)", err, out)
	}
	t.Cleanup(func() { _ = exec.Command("umount", "-l", at).Run() })
	server := pgtest.Start(t)
	for name, one := range map[string]struct {
		database, place, remedy string
		end                     func() (begin func())
	}{
		"full": {InFolder(at), InFolder(at), "make room on the disk", func() func() { return fillDisk(t, at) }},
		"away": {server.Database(), "postgres://", "server", func() func() { server.Stop(); return server.Restart }},
	} {
		t.Run(name, func(t *testing.T) {
			db, err := store.Open(t.Context(), one.database)
			must(t, err)
			defer db.Close()
			e := store.Environment{Name: "E"}
			must(t, db.CreateEnvironment(t.Context(), &e))
			log := &logged{}
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			n := &node{Server: &Server{Database: one.database, Logger: hclog.New(&hclog.LoggerOptions{Output: log})}, db: db}
			go n.watchWrites(ctx)
			write := func() error {
				a := store.Activity{EnvironmentID: e.ID, Text: strings.Repeat("x", 32<<10)}
				return db.AddActivity(t.Context(), a)
			}
			for range 2 {
				again := one.end()
				until(t, "writes fail", func() bool { return write() != nil })
				until(t, "it is said", func() bool { _ = write(); return strings.Contains(log.String(), "takes no writes") })
				begun := time.Now()
				until(t, "it was looked at again", func() bool { _ = write(); return time.Since(begun) > 2*writesEvery })
				again()
				until(t, "its end is said", func() bool { return strings.Contains(log.String(), "takes writes again") })
				text := log.String()
				log.Reset()
				for _, want := range []string{"[ERROR] the database takes no writes", one.place, one.remedy, "error="} {
					if !strings.Contains(text, want) {
						t.Errorf("no %q in %s", want, text)
					}
				}
				if n := strings.Count(text, "\n"); n != 2 {
					t.Errorf("%d lines:\n%s", n, text)
				}
			}
		})
	}
}

// until waits until something is so.
func until(t *testing.T, what string, so func() bool) {
	t.Helper()
	limit := time.After(30 * time.Second)
	for !so() {
		select {
		case <-limit:
			t.Fatalf("waited in vain until %s", what)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// logged is a log that several write and read. The zero value is empty.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write implements io.Writer.
func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

// String returns what was written.
func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Reset forgets it.
func (l *logged) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Reset()
}
