package state

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"ldap-gateway/cloudlink/wire"
)

func newInstance(t *testing.T) Instance {
	t.Helper()
	keys, err := NewKeys()
	if err != nil {
		t.Fatal(err)
	}
	return Instance{ID: "i1", Cloud: "https://id.example.com", Gateway: "g1", GatewayName: "HQ", Environment: "Example",
		Fingerprint: "AAAA", PairedAt: time.Unix(1_800_000_000, 0).UTC(), Keys: keys}
}

func TestInstanceSurvives(t *testing.T) {
	f := At(filepath.Join(t.TempDir(), "deep", "state"))
	if _, err := f.Instance(); !errors.Is(err, ErrNotPaired) {
		t.Fatalf("got %v", err)
	}
	want := newInstance(t)
	if err := f.SaveInstance(want); err != nil {
		t.Fatal(err)
	}
	got, err := f.Instance()
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("%v\n got %+v\nwant %+v", err, got, want)
	}
	if left, _ := filepath.Glob(filepath.Join(f.String(), ".*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestOnlyTheOwnerReadsIt(t *testing.T) {
	f := At(filepath.Join(t.TempDir(), "state"))
	if err := f.SaveInstance(newInstance(t)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(f.String(), instanceFile)
	for p, want := range map[string]os.FileMode{f.String(): 0o700, path: 0o600} {
		info, err := os.Stat(p)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v %v", p, info.Mode(), err)
		}
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Instance(); !errors.Is(err, ErrPermissions) {
		t.Errorf("got %v", err)
	}
}

func TestDamagedFileIsTold(t *testing.T) {
	f := At(t.TempDir())
	for _, content := range []string{"", "{", `{"instance":"i"}`} {
		if err := os.WriteFile(filepath.Join(f.String(), instanceFile), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Instance(); err == nil || !strings.Contains(err.Error(), "pair --replace") {
			t.Errorf("%q: got %v", content, err)
		}
	}
}

// TestFailedWriteKeepsTheOldFile has the new file not come to be.
func TestFailedWriteKeepsTheOldFile(t *testing.T) {
	f := At(t.TempDir())
	want := newInstance(t)
	if err := f.SaveInstance(want); err != nil {
		t.Fatal(err)
	}
	broken := At(filepath.Join(f.String(), instanceFile)) // a folder that is a file
	if err := broken.SaveInstance(newInstance(t)); err == nil {
		t.Fatal("written into a file")
	}
	if err := broken.Ready(); err == nil || !strings.Contains(err.Error(), "--state") {
		t.Errorf("got %v", err)
	}
	if got, err := f.Instance(); err != nil || !reflect.DeepEqual(got, want) {
		t.Error(got, err)
	}
}

func TestUserTypes(t *testing.T) {
	f := At(t.TempDir())
	if m, err := f.UserTypes(); err != nil || m.Revision != 0 {
		t.Fatal(m, err)
	}
	want := wire.UserTypes{
		Revision: 4,
		Types: []wire.UserType{
			{ID: "t", Name: "Staff", SearchBase: "DC=x", Filter: "(uid=${identifier})", Correlation: []string{"entryUUID"}},
		},
	}
	if err := f.SaveUserTypes(want); err != nil {
		t.Fatal(err)
	}
	if got, err := f.UserTypes(); err != nil || !reflect.DeepEqual(got, want) {
		t.Error(got, err)
	}
}

func TestKeysNeverPrint(t *testing.T) {
	i := newInstance(t)
	j, err := json.Marshal(i)
	if err != nil {
		t.Fatal(err)
	}
	printed := fmt.Sprintf("%v %+v %#v %s %x", i, i, i, i.Keys, i.Keys) + string(j)
	if strings.Contains(printed, fmt.Sprintf("%x", i.Keys.Signing())[:16]) || !strings.Contains(printed, "[redacted]") {
		t.Error(printed)
	}
}

func TestReady(t *testing.T) {
	f := At(filepath.Join(t.TempDir(), "new"))
	if err := f.Ready(); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(f.String()); err != nil || len(entries) != 0 {
		t.Error(entries, err)
	}
}

// TestPolicyKey is the same as long as the folder is, and nobody else's.
func TestPolicyKey(t *testing.T) {
	f := At(t.TempDir())
	key, err := f.PolicyKey()
	if err != nil || len(key) != policyKeySize {
		t.Fatal(len(key), err)
	}
	if again, err := f.PolicyKey(); err != nil || !bytes.Equal(again, key) {
		t.Error("another at the next start", err)
	}
	path := filepath.Join(f.String(), policyKeyFile)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info.Mode(), err)
	}
	for name, spoil := range map[string]func() error{
		"damaged":  func() error { return os.WriteFile(path, []byte("{"), 0o600) },
		"short":    func() error { return os.WriteFile(path, []byte(`{"key":"AAAA"}`), 0o600) },
		"readable": func() error { return os.Chmod(path, 0o644) },
		"gone":     func() error { return os.Remove(path) },
	} {
		before, _ := f.PolicyKey()
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		key, err := f.PolicyKey()
		again, _ := f.PolicyKey()
		if err != nil || bytes.Equal(key, before) || !bytes.Equal(key, again) {
			t.Errorf("%s: %v", name, err)
		}
	}
	other, err := At(filepath.Join(path, "x")).PolicyKey()
	if err == nil || len(other) != policyKeySize || bytes.Equal(other, key) {
		t.Error("a folder that is none", err)
	}
}

// TestPairsOfKeys: those beside the instance's come back in their order, eight at most, and
// a file of before, with one, is read.
func TestPairsOfKeys(t *testing.T) {
	f := At(t.TempDir())
	var all []OtherKeys
	for i := range mostPairs + 2 {
		k, err := NewKeys()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, OtherKeys{k, i > 0})
	}
	if err := f.SaveOtherKeys("i1", all); err != nil {
		t.Fatal(err)
	}
	if got := f.OtherKeys("i1"); !reflect.DeepEqual(got, all[:mostPairs]) {
		t.Errorf("%d pairs of %d", len(got), len(all))
	}
	if got := f.OtherKeys("another"); got != nil {
		t.Errorf("%d pairs of another instance", len(got))
	}
	before := struct {
		Instance string     `json:"instance"`
		Keys     storedKeys `json:"keys"`
		Before   bool       `json:"before"`
	}{"i1", all[1].stored(), true}
	if err := f.writeJSON(nextFile, before); err != nil {
		t.Fatal(err)
	}
	if got := f.OtherKeys("i1"); !reflect.DeepEqual(got, all[1:2]) {
		t.Errorf("%d pairs in a file of before", len(got))
	}
}
