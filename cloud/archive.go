package cloud

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"ldap-gateway/cloud/audit"
	"ldap-gateway/cloud/store"
)

// archive keeps sign-ons and activities that the database is about to forget, in files of
// JSON lines: one of each kind, environment and month, as in DIR/ENVIRONMENT/sign-ons-2026-05.jsonl.
// A line is there before its row is deleted, so that after a crash, and where several nodes
// delete at once, it may be there twice, with the same ID. Safe for concurrent use; a nil one
// is no archive.
type archive struct {
	dir      string
	patience time.Duration                        // with a folder that hangs
	add      func(path string, text []byte) error // appendTo, but in tests

	mu      sync.Mutex        // guards what follows
	failed  map[string]error  // why the last of an environment were not kept; none: they were
	writing map[string]bool   // environments of which something is being written
	written map[string][]byte // by file: the last of an attempt that has not been told to be whole
}

// How long a folder that hangs is waited for, and of how many environments it may hang at once:
// each takes a thread that nobody can end.
const (
	archivePatience = time.Minute
	mostWriting     = 8
)

// startPatience is how long a node that starts waits for the folder.
const startPatience = 5 * time.Second

// inTime does something that may hang. errHangs when it has not ended within a time: it goes on, and
// nobody hears how it ends.
func inTime(patience time.Duration, do func() error) error {
	done := make(chan error, 1)
	go func() { done <- do() }()
	select {
	case err := <-done:
		return err
	case <-time.After(patience):
		return errHangs
	}
}

// makeFolder makes one that is not there; none that hangs, which whoever writes into it tells of.
func makeFolder(dir string) error {
	err := inTime(startPatience, func() error { return os.MkdirAll(dir, 0o700) })
	if errors.Is(err, errHangs) {
		return nil
	}
	return err
}

// errHangs says that the disk does not answer.
var errHangs = errors.New("the file system hangs: what is to be written waits, and nothing says how long")

// archiveTo returns what keeps what is deleted in a folder, which it makes; nil for no folder. One
// that hangs is made when something is written, if it answers by then.
func archiveTo(dir string) (*archive, error) {
	if dir == "" {
		return nil, nil
	}
	if err := makeFolder(dir); err != nil {
		return nil, fmt.Errorf("--archive-to: %w", err)
	}
	return &archive{
		dir:      dir,
		patience: archivePatience,
		add:      appendTo,
		failed:   map[string]error{},
		writing:  map[string]bool{},
		written:  map[string][]byte{},
	}, nil
}

// archivedSignOn is a line. Its names are promised to those who read such files.
type archivedSignOn struct {
	ID            string    `json:"id"`
	At            time.Time `json:"at"`
	Method        string    `json:"method"`
	Username      string    `json:"username"`
	User          string    `json:"user,omitempty"`
	Gateway       string    `json:"gateway,omitempty"`
	UserType      string    `json:"userType,omitempty"`
	Instance      string    `json:"instance,omitempty"`
	Provider      string    `json:"identityProvider,omitempty"`
	Outcome       string    `json:"outcome"`
	Reason        string    `json:"reason,omitempty"`
	Updated       bool      `json:"updated"`
	UpdateReason  string    `json:"updateReason,omitempty"`
	Verdict       string    `json:"verdict,omitempty"`
	VerdictReason string    `json:"verdictReason,omitempty"`
	Added         []string  `json:"added,omitempty"`
	Removed       []string  `json:"removed,omitempty"`
	Milliseconds  float64   `json:"milliseconds"`
	Address       string    `json:"address,omitempty"`
}

// SignOns implements store.Archive.
func (a *archive) SignOns(ctx context.Context, all []store.SignOn) error {
	files := lines{}
	for _, s := range all {
		files.add(s.EnvironmentID, "sign-ons", s.At, archivedSignOn{
			ID:            s.ID,
			At:            s.At,
			Method:        string(s.Method),
			Username:      s.Username,
			User:          s.UserID,
			Gateway:       s.GatewayID,
			UserType:      s.UserTypeID,
			Instance:      s.InstanceID,
			Provider:      s.ProviderID,
			Outcome:       s.Outcome,
			Reason:        s.Reason,
			Updated:       s.Updated,
			UpdateReason:  s.UpdateReason,
			Verdict:       s.Verdict,
			VerdictReason: s.VerdictReason,
			Added:         s.Added,
			Removed:       s.Removed,
			Milliseconds:  float64(s.Duration.Microseconds()) / 1000,
			Address:       s.Address,
		})
	}
	return a.keep(ctx, all[0].EnvironmentID, files)
}

// Activities implements store.Archive.
func (a *archive) Activities(ctx context.Context, all []store.Activity) error {
	files := lines{}
	for _, x := range all {
		files.add(x.EnvironmentID, "activities", x.At, audit.LineOf(x))
	}
	return a.keep(ctx, all[0].EnvironmentID, files)
}

// lines are what is to be written, by file.
type lines map[string]*bytes.Buffer

// add adds a line. What is a value of ours can always be written as JSON.
func (l lines) add(env, kind string, at time.Time, line any) {
	file := filepath.Join(env, kind+"-"+at.UTC().Format("2006-01")+".jsonl")
	if l[file] == nil {
		l[file] = &bytes.Buffer{}
	}
	if err := json.NewEncoder(l[file]).Encode(line); err != nil {
		panic(err)
	}
}

// keep writes lines of an environment, and returns once the disk has them. A folder that hangs is
// waited for no longer than patience, nor than ctx; what was being written then may still come.
func (a *archive) keep(ctx context.Context, env string, files lines) error {
	done, err := a.begin(env, files)
	if err == nil {
		late := time.NewTimer(a.patience)
		defer late.Stop()
		select {
		case err = <-done:
		case <-late.C:
			err = errHangs
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if err != nil {
		a.failed[env] = err
		return fmt.Errorf("archive: %s: %w", filepath.Join(a.dir, env), err)
	}
	delete(a.failed, env)
	for file := range files {
		delete(a.written, file)
	}
	return nil
}

// begin begins to write, and returns what tells how that ended. errHangs when what an
// environment gave before is not written yet, or too many hang.
func (a *archive) begin(env string, files lines) (done <-chan error, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.writing[env] || len(a.writing) >= mostWriting {
		return nil, errHangs
	}
	a.writing[env] = true
	ended := make(chan error, 1)
	go func() {
		err := a.write(files)
		a.mu.Lock()
		delete(a.writing, env)
		a.mu.Unlock()
		ended <- err
	}()
	return ended, nil
}

// write writes lines, but for those that are there of an attempt which failed later or was
// not waited for.
func (a *archive) write(files lines) error {
	for file, text := range files {
		a.mu.Lock()
		rest, _ := bytes.CutPrefix(text.Bytes(), a.written[file])
		a.mu.Unlock()
		if err := a.add(filepath.Join(a.dir, file), rest); err != nil {
			return err
		}
		a.mu.Lock()
		a.written[file] = text.Bytes()
		a.mu.Unlock()
	}
	return nil
}

// appendTo adds to a file of the owner's. What could only be written in part is taken back.
func appendTo(path string, text []byte) error {
	if len(text) == 0 {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	before, err := f.Stat()
	if err != nil {
		return errors.Join(err, f.Close())
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync()); err != nil {
		err = errors.Join(err, f.Truncate(before.Size()))
	}
	return errors.Join(err, f.Close())
}

// to is the archive for the store: nil when there is none.
func (a *archive) to() store.Archive {
	if a == nil {
		return nil
	}
	return a
}

// alerts tells that what is too old could not be kept, and so is not deleted.
func (a *archive) alerts() []store.Alert {
	if a == nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.failed) == 0 {
		return nil
	}
	return []store.Alert{nodeAlert("archiveFailed", "",
		"See in the log of the node why, and whether the disk of --archive-to is full or hangs",
		"what is older than is kept could not be written into %s: it is not deleted", a.dir)}
}
