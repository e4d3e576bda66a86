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

// storedNext is pairs of keys that an instance is about to have, or had until it changed
// them. The first stands where released gateways have their only one.
type storedNext struct {
	Instance string `json:"instance"`
	storedPair
	More []storedPair `json:"more,omitempty"`
}

type storedPair struct {
	Keys   storedKeys `json:"keys"`
	Before bool       `json:"before,omitempty"`
}

// OtherKeys are a pair of keys beside that of an instance: while a change of keys is
// under way either may be the good one. Before tells that the change from these is done:
// a cloud whose database went back in time may know no newer ones.
type OtherKeys struct {
	Keys
	Before bool
}

// mostPairs bounds the pairs beside that of an instance.
const mostPairs = 8

// OtherKeys returns the pairs beside that of an instance, the one to try first at the
// beginning; nil when there are none.
func (f Folder) OtherKeys(instance string) (all []OtherKeys) {
	var n storedNext
	if err := f.readJSON(nextFile, &n); err != nil || n.Instance != instance {
		return nil
	}
	for _, p := range append([]storedPair{n.storedPair}, n.More...) {
		all = append(all, OtherKeys{p.Keys.keys(), p.Before})
	}
	return all
}

// SaveOtherKeys keeps pairs beside that of an instance; of more than eight the first ones.
func (f Folder) SaveOtherKeys(instance string, all []OtherKeys) error {
	n := storedNext{Instance: instance}
	for i, k := range all[:min(len(all), mostPairs)] {
		p := storedPair{k.stored(), k.Before}
		if i == 0 {
			n.storedPair = p
		} else {
			n.More = append(n.More, p)
		}
	}
	return f.writeJSON(nextFile, n)
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
