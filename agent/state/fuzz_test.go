package state

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// FuzzFiles damages every file of the folder: reading gives an error or a value, and
// what the program needs to go on is never lost by it.
func FuzzFiles(f *testing.F) {
	f.Add([]byte(`{"id":"i1","keys":{"signing":"AAAA","sealing":"AAAA"}}`))
	f.Add([]byte("1234 abcd\nright abcd\n"))
	f.Add([]byte("\xa2\x01\x01\x02\x80"))
	f.Add([]byte("{"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, content []byte) {
		for _, name := range []string{instanceFile, nextFile, epochFile, userTypesFile, controlFile, wrongFile, answeredFile, policyKeyFile} {
			if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		folder := At(dir)
		i, err := folder.Instance()
		if err == nil && i.ID == "" {
			t.Fatal("an instance without an ID")
		}
		_ = folder.OtherKeys("i1")
		_ = folder.Epoch("i1")
		_, _ = folder.UserTypes()
		if key, _ := folder.PolicyKey(); len(key) != policyKeySize {
			t.Fatal("no key")
		}
		_, _ = folder.ControlSocket()
		w := folder.WrongPasswords()
		if all, _, err := w.Load(time.Unix(0, 0), time.Now()); err == nil {
			for who, times := range all {
				if who == "" || len(times) == 0 {
					t.Fatalf("%q at %v", who, times)
				}
			}
		}
		answered := folder.Answered()
		if _, err := answered.Load(time.Now(), func([16]byte, uint64) {}); err != nil {
			t.Fatal(err)
		}
		if err := answered.Add([16]byte{1}, 5); err != nil {
			t.Fatal(err)
		}
		if err := answered.Close(); err != nil {
			t.Fatal(err)
		}
		if err := w.Wrong("somebody", time.Unix(5, 0)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	})
}
