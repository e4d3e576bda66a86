package store_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"ldap-gateway/cloud/store"
)

// writerPath, when set, makes the test program a process that writes sign-ons
// to the database at it, and prints each ID once it is acknowledged.
const writerPath = "STORE_TEST_WRITER"

func TestMain(m *testing.M) {
	if path := os.Getenv(writerPath); path != "" {
		fmt.Fprintln(os.Stderr, writeForEver(context.Background(), path))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func writeForEver(ctx context.Context, path string) error {
	s, err := store.Open(ctx, path)
	if err != nil {
		return err
	}
	defer s.Close()
	env := store.Environment{ID: "e"}
	if err := s.CreateEnvironment(ctx, &env); err != nil {
		return err
	}
	for {
		so := store.SignOn{EnvironmentID: "e"}
		if err := s.RecordSignOn(ctx, &so, store.Activity{Action: "sign-on"}); err != nil {
			return err
		}
		fmt.Println(so.ID)
	}
}

// Everything that was acknowledged before the process was killed is there.
func TestKilled(t *testing.T) {
	where := empty(t)
	exe, err := os.Executable()
	must(t, err)
	cmd := exec.CommandContext(t.Context(), exe)
	cmd.Env = append(os.Environ(), writerPath+"="+where)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	var acknowledged []string
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		acknowledged = append(acknowledged, lines.Text())
		if len(acknowledged) == 200 {
			must(t, cmd.Process.Kill())
		}
	}
	if err := cmd.Wait(); err == nil || len(acknowledged) < 200 {
		t.Fatalf("%d lines, ended with %v", len(acknowledged), err)
	}
	s := openAt(t, where)
	for _, id := range acknowledged {
		if _, err := s.SignOn(t.Context(), "e", strings.TrimSpace(id)); err != nil {
			t.Errorf("%s: %v", id, err)
		}
		as, _, err := s.Activities(t.Context(), "e", store.ActivityFilter{SignOnID: id}, store.Page{})
		if len(as) != 1 || err != nil {
			t.Errorf("%s: %d activities, %v", id, len(as), err)
		}
	}
}

// Writers queue, readers do not wait for them, and none is refused.
func TestParallel(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 20 {
				u := store.User{EnvironmentID: w.env.ID, PopulationID: w.population.ID, Username: fmt.Sprint(i, "-", n)}
				if err := s.CreateUser(t.Context(), &u); err != nil {
					t.Error(err)
				}
				if _, err := s.User(t.Context(), w.env.ID, u.ID); err != nil {
					t.Error(err) // what was acknowledged is seen by every reader
				}
			}
		})
	}
	wg.Wait()
	if p, err := s.Population(t.Context(), w.env.ID, w.population.ID); err != nil || p.UserCount != 161 {
		t.Errorf("%d users, %v", p.UserCount, err)
	}
}

func TestFileIsPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cloud.db")
	build(t, openAt(t, path), "one")
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		must(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s is %s", suffix, info.Mode())
		}
	}
}
