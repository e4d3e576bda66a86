package vault

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSealing(t *testing.T) {
	path := filepath.Join(t.TempDir(), FileName)
	v, err := OpenOrCreate(path)
	if err != nil {
		t.Fatal(err)
	}
	again, err := OpenOrCreate(path)
	if err != nil {
		t.Fatal(err)
	}
	sealed := v.Seal("kerberos", "one", []byte("secret"))
	if got, err := again.Open("kerberos", "one", sealed); err != nil || string(got) != "secret" {
		t.Errorf("%q %v", got, err)
	}
	other, err := New(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	altered := bytes.Clone(sealed)
	altered[len(altered)-1]++
	for name, open := range map[string]func() ([]byte, error){
		"purpose": func() ([]byte, error) { return v.Open("signing", "one", sealed) },
		"owner":   func() ([]byte, error) { return v.Open("kerberos", "two", sealed) },
		"key":     func() ([]byte, error) { return other.Open("kerberos", "one", sealed) },
		"altered": func() ([]byte, error) { return v.Open("kerberos", "one", altered) },
		"short":   func() ([]byte, error) { return v.Open("kerberos", "one", sealed[:5]) },
	} {
		if got, err := open(); !errors.Is(err, ErrOpen) || got != nil {
			t.Errorf("%s: %q %v", name, got, err)
		}
	}
	for _, plain := range []string{"", "secret", strings.Repeat("long ", 10_000)} {
		text := v.SealText("wish", "one", []byte(plain))
		if got, err := again.OpenText("wish", "one", text); err != nil || string(got) != plain || len(text) > 300 {
			t.Errorf("%d bytes in %d letters: %d, %v", len(plain), len(text), len(got), err)
		}
		for _, other := range []string{"", "?", text[1:], text[:len(text)-1], "A" + text} {
			if got, err := v.OpenText("wish", "one", other); !errors.Is(err, ErrOpen) || got != nil {
				t.Errorf("%q: %v", other, err)
			}
		}
		if got, err := v.OpenText("wish", "two", text); !errors.Is(err, ErrOpen) || got != nil {
			t.Error(err)
		}
	}
	if bytes.Contains(sealed, []byte("secret")) || bytes.Equal(sealed, v.Seal("kerberos", "one", []byte("secret"))) {
		t.Error("not sealed, or twice alike")
	}
}

func TestKeyFiles(t *testing.T) {
	dir := t.TempDir()
	good := base64.StdEncoding.EncodeToString(make([]byte, 32))
	for name, file := range map[string]struct {
		text string
		mode os.FileMode
		want error
	}{
		"good":     {good + "\n", 0o600, nil},
		"group":    {good, 0o640, nil},
		"secret":   {good, 0o440, nil},
		"writable": {good, 0o660, ErrKeyFile},
		"readable": {good, 0o644, ErrKeyFile},
		"open":     {good, 0o604, ErrKeyFile},
		"short":    {"AAAA", 0o600, ErrKeyFile},
		"text":     {"this is no key", 0o600, ErrKeyFile},
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(file.text), file.mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, file.mode); err != nil { // whatever the umask
			t.Fatal(err)
		}
		if _, err := Open(path); !errors.Is(err, file.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Create(filepath.Join(dir, "good")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a key was written over: %v", err)
	}
	if _, err := Open(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	v, err := Open(filepath.Join(dir, "good"))
	if err != nil {
		t.Fatal(err)
	}
	if s := fmt.Sprintf("%v %+v %s %x", v, v, v, v); strings.Trim(s, "[redact] ") != "" {
		t.Errorf("it prints: %s", s)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".master-*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}
