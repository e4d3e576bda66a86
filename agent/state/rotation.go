package state

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

const (
	epochFile  = "epoch.json"
	nextFile   = "next.json"
	wishedFile = "rotate"
)

// storedEpoch is how far an instance has come; another instance's does not count.
type storedEpoch struct {
	Instance string `json:"instance"`
	Epoch    uint64 `json:"epoch"`
}

// Epoch returns the epoch that was kept last for an instance; 0 without one.
func (f Folder) Epoch(instance string) uint64 {
	var e storedEpoch
	if err := f.readJSON(epochFile, &e); err != nil || e.Instance != instance {
		return 0
	}
	return e.Epoch
}

// SaveEpoch keeps how far an instance has come.
func (f Folder) SaveEpoch(instance string, epoch uint64) error {
	return f.writeJSON(epochFile, storedEpoch{instance, epoch})
}

// storedNext is a pair of keys that an instance is about to have, or had until
// it changed them.
type storedNext struct {
	Instance string     `json:"instance"`
	Keys     storedKeys `json:"keys"`
	Before   bool       `json:"before,omitempty"`
}

// OtherKeys are the keys beside those of an instance: while a change of keys is under
// way either pair may be the good one. Before tells that the change is done and these
// are the pair before: a cloud whose database went back in time knows no newer one.
type OtherKeys struct {
	Keys
	Before bool
}

// OtherKeys returns the keys beside those of an instance; false when there are none.
func (f Folder) OtherKeys(instance string) (OtherKeys, bool) {
	var n storedNext
	if err := f.readJSON(nextFile, &n); err != nil || n.Instance != instance {
		return OtherKeys{}, false
	}
	return OtherKeys{n.Keys.keys(), n.Before}, true
}

// SaveOtherKeys keeps keys beside those of an instance.
func (f Folder) SaveOtherKeys(instance string, k OtherKeys) error {
	return f.writeJSON(nextFile, storedNext{instance, k.stored(), k.Before})
}

// WishRotation asks the running agent to change its keys.
func (f Folder) WishRotation() error { return f.write(wishedFile, nil) }

// RotationWished tells whether somebody asked for a change of keys.
func (f Folder) RotationWished() bool {
	_, err := os.Stat(filepath.Join(f.path, wishedFile))
	return err == nil
}

// DropWish takes the wish back.
func (f Folder) DropWish() error { return f.remove(wishedFile) }

func (f Folder) remove(name string) error {
	err := os.Remove(filepath.Join(f.path, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (f Folder) readJSON(name string, v any) error {
	path := filepath.Join(f.path, name)
	if err := private(path); err != nil {
		return err
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, v)
}
