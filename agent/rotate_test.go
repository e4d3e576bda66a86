package agent

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"ldap-gateway/agent/agenttest"
	"ldap-gateway/agent/state"
)

// TestKeysAreInAFileAtEveryMoment has the file of the instance refuse to be written while
// its keys change, or their turn comes: the pair that the cloud may have is not lost.
func TestKeysAreInAFileAtEveryMoment(t *testing.T) {
	for name, change := range map[string]func(*Instance, state.Instance, state.Keys) error{
		"changed": func(i *Instance, paired state.Instance, taken state.Keys) error { return i.changed(paired, taken) },
		"turn": func(i *Instance, paired state.Instance, _ state.Keys) error {
			return i.turn(paired, i.others(paired))
		},
	} {
		t.Run(name, func(t *testing.T) {
			folder := state.At(t.TempDir())
			agenttest.Pair(t, folder, "https://id.example.com")
			paired, err := folder.Instance()
			agenttest.Must(t, err)
			taken, err := state.NewKeys()
			agenttest.Must(t, err)
			old, err := state.NewKeys()
			agenttest.Must(t, err)
			agenttest.Must(t, folder.SaveOtherKeys(paired.ID, []state.OtherKeys{{Keys: taken}, {Keys: old, Before: true}}))
			i := &Instance{State: folder}
			put := blockFile(t, filepath.Join(folder.String(), "instance.json"))
			if err := change(i, paired, taken); err == nil {
				t.Fatal("the file was written")
			}
			if !has(i.others(paired), taken) || !has(i.others(paired), old) {
				t.Error("a pair is in no file any more")
			}
			put()
			agenttest.Must(t, change(i, paired, taken))
			now, err := folder.Instance()
			agenttest.Must(t, err)
			others := i.others(now)
			if !bytes.Equal(now.Keys.Signing(), taken.Signing()) || !has(others, paired.Keys) || !has(others, old) || len(others) != 2 {
				t.Errorf("afterwards there are %d pairs beside the instance's", len(others))
			}
		})
	}
}

func has(all []state.OtherKeys, k state.Keys) bool {
	for _, one := range all {
		if bytes.Equal(one.Signing(), k.Signing()) {
			return true
		}
	}
	return false
}

// blockFile puts a folder that is not empty in the place of a file, until put is called.
func blockFile(t *testing.T, path string) (put func()) {
	t.Helper()
	agenttest.Must(t, os.Rename(path, path+".away"))
	agenttest.Must(t, os.MkdirAll(filepath.Join(path, "full"), 0o700))
	return func() {
		agenttest.Must(t, os.RemoveAll(path))
		agenttest.Must(t, os.Rename(path+".away", path))
	}
}
