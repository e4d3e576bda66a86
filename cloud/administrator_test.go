package cloud

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/vault"
)

// Who is locked out gets in again, also while the cloud runs.
func TestResetAdministrator(t *testing.T) {
	s := startSiege(t)
	s.signIn()
	if _, err := ResetAdministrator(t.Context(), InFolder(s.data), "nobody"); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
	var out, problems bytes.Buffer
	if code := Main(t.Context(), []string{"administrator", "reset", "--data", s.data, "ADMIN"}, &out, &problems); code != ExitOK {
		t.Fatalf("%d: %s", code, &problems)
	}
	if page := s.page("/console/users"); !regexp.MustCompile(`action="/console/sign-in"`).MatchString(page) {
		t.Error("the session of before is still good")
	}
	s.secret = regexp.MustCompile(`(?m)^  (\S{20})$`).FindStringSubmatch(out.String())[1]
	s.signIn()
}

// What root makes in the folder of the service's account, the service could not
// open: root is told how to do it right, and nothing is made.
func TestInitInAFolderOfAnother(t *testing.T) {
	data := t.TempDir()
	if err := os.Chown(data, 65534, 65534); err != nil {
		t.Fatalf("run this as root: %v", err)
	}
	for _, args := range [][]string{{"init", "--data", data}, {"restore", "--data", data, "--from", "copy", "--master-key", masterKey(t)}} {
		var out, problems bytes.Buffer
		if code := Main(t.Context(), args, &out, &problems); code == ExitOK || !strings.Contains(problems.String(), `"runuser -u nobody --"`) {
			t.Errorf("%d: %s", code, &problems)
		}
	}
	if left, err := os.ReadDir(data); err != nil || len(left) > 0 {
		t.Error(left, err)
	}
}

// masterKey makes one.
func masterKey(t *testing.T) string {
	path := filepath.Join(t.TempDir(), "key")
	if _, err := vault.OpenOrCreate(path); err != nil {
		t.Fatal(err)
	}
	return path
}
