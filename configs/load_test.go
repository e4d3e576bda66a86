package configs

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestMistakes holds the words and places of every kind of mistake.
func TestMistakes(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.hcl")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".hcl"), func(t *testing.T) {
			_, err := Load(path)
			var m *Mistakes
			if !errors.As(err, &m) {
				t.Fatalf("got %v, want mistakes", err)
			}
			if strings.Contains(m.Error(), "hunter2") {
				t.Errorf("the secret is shown:\n%s", m)
			}
			checkGolden(t, strings.TrimSuffix(path, ".hcl")+".golden", m.Error())
		})
	}
}

func checkGolden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got:\n%s\nwant (%s; -update writes it anew):\n%s", got, path, want)
	}
}

// sampleSource is a sample with its files where the test has them.
func sampleSource(t *testing.T, sample string) (path string, src []byte) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "bind.password"), []byte("s3cret\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(
			dir,
			"gateway.hcl",
		), []byte(
			strings.ReplaceAll(sample, "/etc/ldap-gateway/bind.password", "bind.password"),
		)
}

func TestSamplesLoad(t *testing.T) {
	for name, sample := range map[string]string{"minimal": Minimal, "full": Full} {
		t.Run(name, func(t *testing.T) {
			g, err := Parse(sampleSource(t, sample))
			if err != nil {
				t.Fatal(err)
			}
			if got := g.Directory.BindPassword.Reveal(); got != "s3cret" {
				t.Errorf("password %q: the line end must go", got)
			}
			if g.Directory.Timeout != 5*time.Second || g.Directory.Pool.Bind != 64 || g.Log.Level != "info" ||
				g.Policy.SearchBases[0] != "DC=corp,DC=example,DC=com" || g.Policy.Groups.Max != 5000 {
				t.Errorf("defaults: %+v", g)
			}
		})
	}
}

// TestFullSampleShowsEveryKey fails when a key is added to the schema and not to the sample.
func TestFullSampleShowsEveryKey(t *testing.T) {
	schema, err := os.ReadFile("schema.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range strings.Split(string(schema), "`hcl:\"")[1:] {
		key, _, _ := strings.Cut(part, ",")
		key, _, _ = strings.Cut(key, "\"")
		if !strings.Contains(Full, key+" ") {
			t.Errorf("samples/full.hcl does not show %s", key)
		}
	}
}

func TestMissingFile(t *testing.T) {
	_, err := Load(filepath.Join(t.TempDir(), "gateway.hcl"))
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "--config") {
		t.Errorf("got %v", err)
	}
}

func TestSecretNeverPrints(t *testing.T) {
	s := Secret("hunter2")
	nested := struct{ S *Secret }{&s}
	j, err := json.Marshal(map[string]any{"a": s, "b": nested})
	if err != nil {
		t.Fatal(err)
	}
	all := fmt.Sprintf(
		"%v %+v %#v %s %q %x %d %v",
		s,
		s,
		s,
		s,
		s,
		s,
		s,
		[]Secret{s},
	) + string(
		j,
	) + fmt.Sprintf("%+v", Directory{BindPassword: s})
	if strings.Contains(all, "hunter2") || strings.Contains(all, "68756e746572") {
		t.Error(all)
	}
}

func TestDefaultPaths(t *testing.T) {
	none := func(string) string { return "" }
	if got := DefaultPath("linux", none); got != "/etc/ldap-gateway/gateway.hcl" {
		t.Error(got)
	}
	if got := DefaultState("linux", none); got != "/var/lib/ldap-gateway" {
		t.Error(got)
	}
	if got := DefaultPath("windows", func(string) string { return `D:\Data` }); !strings.HasPrefix(got, `D:\Data`) {
		t.Error(got)
	}
}

func TestDiscoveryAndCanary(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gateway.hcl")
	text := `cloud {
  url = "https://id.example.com"
}
directory {
  discover = "example.com"
  site     = "Berlin"
  base_dn  = "DC=example,DC=com"
  canary {
    user  = "CN=canary,DC=example,DC=com"
    group = "CN=cage,DC=example,DC=com"
  }
}
policy {}
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	d := file.Directory
	if d.Discover != "example.com" || d.Site != "Berlin" || len(d.Servers) != 0 ||
		d.CanaryUser != "CN=canary,DC=example,DC=com" ||
		d.CanaryGroup != "CN=cage,DC=example,DC=com" {
		t.Errorf("%+v", d)
	}
}
