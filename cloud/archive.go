package cloud

import (
	"bytes"
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
// A line is there before its row is deleted, so that after a crash it may be there twice,
// with the same ID. Safe for concurrent use; a nil one is no archive.
type archive struct {
	dir string

	mu     sync.Mutex // guards failed and the files
	failed error      // why the last were not kept; nil: they were
}

// archiveTo returns what keeps what is deleted in a folder, which it makes; nil for no folder.
func archiveTo(dir string) (*archive, error) {
	if dir == "" {
		return nil, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("--archive-to: %w", err)
	}
	return &archive{dir: dir}, nil
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
func (a *archive) SignOns(all []store.SignOn) error {
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
	return a.keep(files)
}

// Activities implements store.Archive.
func (a *archive) Activities(all []store.Activity) error {
	files := lines{}
	for _, x := range all {
		files.add(x.EnvironmentID, "activities", x.At, audit.LineOf(x))
	}
	return a.keep(files)
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

// keep writes lines, and returns once the disk has them.
func (a *archive) keep(files lines) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for file, text := range files {
		if a.failed = appendTo(filepath.Join(a.dir, file), text.Bytes()); a.failed != nil {
			return fmt.Errorf("archive: %w", a.failed)
		}
	}
	return nil
}

// appendTo adds to a file of the owner's. What could only be written in part is taken back.
func appendTo(path string, text []byte) error {
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
	if a.failed == nil {
		return nil
	}
	return []store.Alert{nodeAlert("archiveFailed", "",
		"See in the log of the node why, and whether the disk of --archive-to is full",
		"what is older than is kept could not be written into %s: it is not deleted", a.dir)}
}
