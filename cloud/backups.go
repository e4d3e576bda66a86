package cloud

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"

	"ldap-gateway/cloud/store"
)

// Backups says that a running node copies its database now and then.
type Backups struct {
	To    string        // folder; it is made when there is none
	Every time.Duration // at least a second
	Keep  int           // how many copies; at least one
}

const (
	// copyName is the name of a copy, with its time in UTC. Nothing else in the folder is
	// ever removed.
	copyName = "ldap-cloud-20060102T150405Z.db"
	// unfinished is what a copy is called until it is known to be whole.
	unfinished = "ldap-cloud-unfinished.db"
	// copyAgain is how long after a copy that failed it is tried again, at most.
	copyAgain = 10 * time.Minute
	// copyPatience is how long one may take until its disk is taken for one that hangs.
	copyPatience = time.Hour
)

// check refuses what cannot be, before anything is served.
func (b *Backups) check(database string) error {
	switch {
	case b == nil:
		return nil
	case store.IsPostgres(database):
		return fmt.Errorf("%w: --backup-every copies a data folder; have pg_dump called for a PostgreSQL database", ErrUsage)
	case b.Every < time.Second:
		return fmt.Errorf("%w: --backup-every: it is a time of a second or more", ErrUsage)
	case b.Keep < 1:
		return fmt.Errorf("%w: --backup-keep: keep one copy at least", ErrUsage)
	}
	if err := makeFolder(b.To); err != nil {
		return fmt.Errorf("--backup-to: %w", err)
	}
	return nil
}

// copier makes the copies that Backups wants. Its fields are set before the first use; safe
// for concurrent use.
type copier struct {
	Backups
	database string
	logger   hclog.Logger

	make func(ctx context.Context, now time.Time) error // one copy: copy, but in tests

	copying atomic.Bool // one is under way, or hangs

	mu     sync.Mutex // guards failed
	failed error      // why there is no copy of the last time; nil: there is one
}

// copier returns what copies the database of a node; nil when nothing does.
func (s *Server) copier() *copier {
	if s.Backups == nil {
		return nil
	}
	c := &copier{Backups: *s.Backups, database: s.Database, logger: s.Logger.Named("backup")}
	c.make = c.copy
	return c
}

// run makes copies until ctx ends; of nil it makes none. The first is made once the newest that there is has its
// age, so that restarts bring neither more nor fewer.
func (c *copier) run(ctx context.Context) {
	if c == nil {
		return
	}
	next := time.NewTimer(c.untilDue())
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-next.C:
		}
		wait := c.Every
		err := c.attempt(ctx)
		if err != nil {
			wait = min(wait, copyAgain)
		}
		if ctx.Err() != nil {
			return
		}
		c.note(err)
		next.Reset(wait)
	}
}

// untilDue returns how long there need be no copy. A folder that cannot be read, or hangs, is told
// of by the copy, which is due then.
func (c *copier) untilDue() (left time.Duration) {
	found := make(chan time.Time, 1)
	_ = inTime(startPatience, func() error {
		newest, err := c.newest()
		found <- newest
		return err
	})
	select {
	case newest := <-found:
		return time.Until(newest.Add(c.Every))
	default:
		return 0
	}
}

// attempt makes a copy, and waits for it no longer than its patience, nor than ctx. errHangs while the
// one before has not ended.
func (c *copier) attempt(ctx context.Context) error {
	if c.copying.Swap(true) {
		return errHangs
	}
	done := make(chan error, 1)
	go func() {
		err := c.make(ctx, time.Now())
		c.copying.Store(false)
		done <- err
	}()
	late := time.NewTimer(copyPatience)
	defer late.Stop()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-late.C:
		return errHangs
	}
}

// note keeps what came of a copy for the alerts, and has the log say it.
func (c *copier) note(err error) {
	c.mu.Lock()
	c.failed = err
	c.mu.Unlock()
	if err != nil {
		c.logger.Error("the database was not backed up: older copies are kept", "folder", c.To, "error", err)
	}
}

// copy makes one, looks whether it is whole, and only then removes those that are too old.
func (c *copier) copy(ctx context.Context, now time.Time) error {
	beside := filepath.Join(c.To, unfinished)
	// One that was cut off is of no use.
	if err := os.Remove(beside); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := store.Backup(ctx, c.database, beside); err != nil {
		return err
	}
	if err := store.Whole(ctx, beside); err != nil {
		return err
	}
	to := filepath.Join(c.To, now.UTC().Format(copyName))
	if err := os.Rename(beside, to); err != nil {
		return err
	}
	c.logger.Info("the database was backed up", "file", to)
	return c.removeOld()
}

// removeOld leaves the newest copies.
func (c *copier) removeOld() error {
	all, err := c.copies()
	if err != nil || len(all) <= c.Keep {
		return err
	}
	for _, name := range all[:len(all)-c.Keep] {
		err = cmp.Or(err, os.Remove(filepath.Join(c.To, name)))
	}
	return err
}

// copies returns the names of all there are, the oldest first.
func (c *copier) copies() (names []string, err error) {
	all, err := os.ReadDir(c.To)
	for _, e := range all {
		if _, err := time.Parse(copyName, e.Name()); err == nil && e.Type().IsRegular() {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, err
}

// newest returns when the newest copy was made; long ago when there is none.
func (c *copier) newest() (time.Time, error) {
	all, err := c.copies()
	if len(all) == 0 {
		return time.Time{}, err
	}
	return time.Parse(copyName, all[len(all)-1])
}

// alerts tells that the last copy failed.
func (c *copier) alerts() []store.Alert {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failed == nil {
		return nil
	}
	return []store.Alert{nodeAlert("backupFailed", "",
		"See in the log of the node why, and whether the disk of --backup-to is full or hangs",
		"the database was not backed up into %s: older copies are kept", c.To)}
}
