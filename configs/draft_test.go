package configs

import (
	"encoding/hex"
	"encoding/pem"
	"errors"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

// TestDraftsRoundTrip has every answer come back from the file that was written.
func TestDraftsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[^\x00-\x1f]{1,20}`)
		d := Draft{CloudURL: "https://id.example.com", BaseDN: "dc=" + rapid.StringMatching(`[a-z${}%]{1,8}`).Draw(t, "base")}
		if rapid.Bool().Draw(t, "discover") {
			d.Discover = "corp.example.com"
		} else {
			d.Servers = rapid.SliceOfN(rapid.StringMatching(`ldaps?://[a-z]{1,9}\.test(:636)?`), 1, 3).Draw(t, "servers")
		}
		if rapid.Bool().Draw(t, "bind") {
			// HCL has every string in normal form C, but not what is read from a file.
			d.BindDN, d.Password = norm.NFC.String(text.Draw(t, "dn")), Secret(text.Draw(t, "password"))
		}
		if rapid.Bool().Draw(t, "pin") {
			d.Pins = []string{"sha256:" + strings.Repeat("0f", 32)}
		}
		g, err := d.Check("gateway.hcl")
		if err != nil {
			t.Fatalf("%v\n%s", err, d.Text())
		}
		got := g.Directory
		if got.BaseDN != d.BaseDN || got.Discover != d.Discover || got.BindDN != d.BindDN || got.BindPassword != d.Password ||
			!slices.Equal(got.Servers, d.Servers) || len(got.TLS.Pins) != len(d.Pins) || g.Cloud.URL.String() != d.CloudURL {
			t.Fatalf("%+v\n%s", got, d.Text())
		}
		for _, pin := range got.TLS.Pins {
			if "sha256:"+hex.EncodeToString(pin) != d.Pins[0] {
				t.Fatal(pin)
			}
		}
	})
}

// TestPasswordIsReadAsItIs has a directory get the octets that are in the file.
func TestPasswordIsReadAsItIs(t *testing.T) {
	d := Draft{
		CloudURL: "https://id.example.com",
		Servers:  []string{"ldaps://dc1.example.com"},
		BaseDN:   "dc=x",
		BindDN:   "cn=x",
		Password: "cafe\u0301",
	}
	if g, err := d.Check("gateway.hcl"); err != nil || g.Directory.BindPassword != d.Password {
		t.Errorf("%q %v", g.Directory.BindPassword.Reveal(), err)
	}
}

// TestDraftOfTheSampleIsTheSample has nothing of it lost on the way.
func TestDraftOfTheSampleIsTheSample(t *testing.T) {
	d := Draft{
		CloudURL: "https://id.example.com",
		Servers:  []string{"ldaps://dc1.corp.example.com", "ldaps://dc2.corp.example.com"},
		BaseDN:   "DC=corp,DC=example,DC=com",
		BindDN:   "CN=svc-gateway,OU=Service Accounts,DC=corp,DC=example,DC=com",
	}
	want := strings.Replace(Full, ` # what the unit's LoadCredential= hands over, or the file beside this one;`, "", 1)
	if got := d.Text(); got != want {
		t.Errorf("got:\n%s", got)
	}
}

// TestSaveBringsAuthorities copies them to where the service can read them.
func TestSaveBringsAuthorities(t *testing.T) {
	elsewhere, path := filepath.Join(t.TempDir(), "ca.pem"), filepath.Join(t.TempDir(), "etc", "gateway.hcl")
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	sample := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(elsewhere, sample, 0o600); err != nil {
		t.Fatal(err)
	}
	d := Draft{
		CloudURL:    "https://id.example.com",
		CloudCA:     elsewhere,
		Servers:     []string{"ldaps://dc1.example.com"},
		BaseDN:      "dc=x",
		DirectoryCA: elsewhere,
	}
	if err := d.Save(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(elsewhere); err != nil {
		t.Fatal(err)
	}
	if g, err := Load(path); err != nil || g.Cloud.RootCAs == nil || g.Directory.TLS.RootCAs == nil {
		t.Fatal(err)
	}
	// One that is beside the file already stays under its name.
	d.CloudCA, d.DirectoryCA = "", filepath.Join(filepath.Dir(path), directoryCAName)
	if err := d.Save(path); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); err != nil {
		t.Error(err)
	}
	d.DirectoryCA = elsewhere
	if err := d.Save(path); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// TestSave keeps what was there, and lets nobody but owner and group read.
func TestSave(t *testing.T) {
	path := filepath.Join(t.TempDir(), "etc", "gateway.hcl")
	d := Draft{
		CloudURL: "https://id.example.com",
		Servers:  []string{"ldaps://dc1.example.com"},
		BaseDN:   "dc=x",
		BindDN:   "cn=x",
		Password: "hunter2",
	}
	for range 2 { // the second time nothing is to be kept
		if err := d.Save(path); err != nil {
			t.Fatal(err)
		}
	}
	g, err := Load(path)
	if err != nil || g.Directory.BindPassword != "hunter2" {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(path); strings.Contains(string(text), "hunter2") {
		t.Error("the password is in the file")
	}
	for _, c := range []struct{ there, kept string }{{Minimal, ""}, {"# mine\n", "# mine\n"}} {
		if err := os.WriteFile(path, []byte(c.there), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := d.Save(path); err != nil {
			t.Fatal(err)
		}
		if old, _ := os.ReadFile(path + ".old"); string(old) != c.kept {
			t.Errorf("kept %q, want %q", old, c.kept)
		}
	}
	files, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(files) != 3 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		if info, err := f.Info(); err != nil || info.Mode().Perm()&^fs.FileMode(0o640) != 0 {
			t.Error(f, err)
		}
	}
}
