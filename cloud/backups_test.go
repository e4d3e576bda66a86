package cloud

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"

	"ldap-gateway/cloud/store"
)

// copying starts a cloud that copies itself every second, and returns its folder of copies.
func copying(t *testing.T) (c *copier) {
	t.Helper()
	data := t.TempDir() + "/cloud"
	_, err := Init(t.Context(), InFolder(data), "", "E", "http://127.0.0.1")
	must(t, err)
	b := Backups{To: filepath.Join(data, "copies"), Every: time.Second, Keep: 2}
	ready, ended := make(chan string, 1), make(chan error, 1)
	s := &Server{
		Database: InFolder(data),
		Listen:   "127.0.0.1:0",
		Backups:  &b,
		Logger:   hclog.NewNullLogger(),
		Ready:    func(u string) { ready <- u },
	}
	ctx, stop := context.WithCancel(context.Background())
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() { stop(); must(t, <-ended) })
	select {
	case <-ready:
	case err := <-ended:
		t.Fatal(err)
	}
	return s.copier()
}

// TestBackupThatHangs: a disk that hangs is told of within an hour, no second copy is begun beside it, a
// node that stops does not wait, and when it answers again copies are made as before.
func TestBackupThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var begun atomic.Int64
		free := make(chan error)
		c := &copier{Backups: Backups{To: t.TempDir(), Every: 24 * time.Hour, Keep: 1}, logger: hclog.NewNullLogger()}
		c.make = func(context.Context, time.Time) error { begun.Add(1); return <-free }
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		ended := make(chan bool)
		go func() { c.run(ctx); close(ended) }()
		time.Sleep(30 * time.Minute)
		if len(c.alerts()) != 0 {
			t.Error("told of too early")
		}
		time.Sleep(5 * time.Hour)
		if len(c.alerts()) != 1 || begun.Load() != 1 {
			t.Errorf("%d were begun, %v", begun.Load(), c.alerts())
		}
		free <- nil
		time.Sleep(copyAgain)
		free <- nil
		synctest.Wait()
		if len(c.alerts()) != 0 || begun.Load() != 2 {
			t.Errorf("%d were begun, %v", begun.Load(), c.alerts())
		}
		time.Sleep(c.Every + time.Minute)
		stop()
		<-ended
		free <- nil
	})
}

// TestBackupsAreMade: a node that serves copies itself, keeps as many as it should and what
// is not its own, and each can be restored.
func TestBackupsAreMade(t *testing.T) {
	c := copying(t)
	var first, names []string
	for len(first) == 0 {
		first, _ = c.copies()
		await(t)
	}
	mine := filepath.Join(c.To, "ldap-cloud-mine.db")
	must(t, os.WriteFile(mine, []byte("mine"), 0o600))
	for len(names) < 2 || names[0] == first[0] {
		names, _ = c.copies()
		await(t)
	}
	if len(names) > c.Keep+1 { // one more for a moment, while the newest is there and the oldest still is
		t.Errorf("there are %q", names)
	}
	if _, err := os.Stat(mine); err != nil {
		t.Error(err)
	}
	restored := t.TempDir()
	must(t, copyFile(filepath.Join(c.To, names[len(names)-1]), InFolder(restored)))
	must(t, store.Restored(t.Context(), InFolder(restored)))
}

// await lets a moment pass, and fails once the test has taken too long.
func await(t *testing.T) {
	t.Helper()
	select {
	case <-time.After(20 * time.Millisecond):
	case <-t.Context().Done():
		t.Fatal("it did not come")
	}
}

// TestBackupsThatFail: of a copy that cannot be made, or is not whole, nothing stays, the old
// ones do, and there is an alert until one is made.
func TestBackupsThatFail(t *testing.T) {
	data := t.TempDir()
	_, err := Init(t.Context(), InFolder(data+"/cloud"), "", "E", "http://127.0.0.1")
	must(t, err)
	c := &copier{
		Backups:  Backups{To: data + "/copies", Every: time.Hour, Keep: 1},
		database: InFolder(data + "/cloud"),
		logger:   hclog.NewNullLogger(),
	}
	must(t, c.check(c.database))
	now := time.Now()
	must(t, c.copy(t.Context(), now))
	before, err := c.copies()
	must(t, err)
	for name, harm := range map[string]func() (undo func()){
		"no database": func() func() {
			good := c.database
			c.database = data + "/none"
			return func() { c.database = good }
		},
		"damaged": func() func() {
			good := c.database
			c.database = data + "/damaged"
			must(t, copyFile(good, c.database))
			f, err := os.OpenFile(c.database, os.O_RDWR, 0)
			must(t, err)
			for at := int64(3 * 4096); at < 200*4096; at += 4096 {
				_, err = f.WriteAt([]byte("nonsense in every page of it"), at)
				must(t, err)
			}
			must(t, f.Close())
			return func() { c.database = good }
		},
		"in the way": func() func() {
			must(t, os.MkdirAll(filepath.Join(c.To, unfinished, "x"), 0o700))
			return func() { must(t, os.RemoveAll(filepath.Join(c.To, unfinished))) }
		},
	} {
		undo := harm()
		err := c.copy(t.Context(), now.Add(time.Minute))
		c.note(err)
		if err == nil || len(c.alerts()) != 1 {
			t.Errorf("%s: %v, alerts %v", name, err, c.alerts())
		}
		if after, _ := c.copies(); len(after) != 1 || after[0] != before[0] {
			t.Errorf("%s: there are %q", name, after)
		}
		undo()
	}
	c.note(c.copy(t.Context(), now.Add(2*time.Minute)))
	if after, _ := c.copies(); len(after) != 1 || after[0] == before[0] || len(c.alerts()) != 0 {
		t.Errorf("there are %q, alerts %v", after, c.alerts())
	}
}

func TestBackupsThatCannotBe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o600))
	for name, c := range map[string]struct {
		b        Backups
		database string
		usage    bool
	}{
		"PostgreSQL": {Backups{t.TempDir(), time.Hour, 1}, "postgres://db.example/cloud", true},
		"too often":  {Backups{t.TempDir(), time.Millisecond, 1}, "cloud.db", true},
		"none kept":  {Backups{t.TempDir(), time.Hour, 0}, "cloud.db", true},
		"a file":     {Backups{file, time.Hour, 1}, "cloud.db", false},
	} {
		if err := c.b.check(c.database); err == nil || errors.Is(err, ErrUsage) != c.usage {
			t.Errorf("%s: %v", name, err)
		}
	}
}
