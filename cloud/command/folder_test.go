package command

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ldap-gateway/cloud/vault"
)

// What root makes in the folder of the service's account, the service could not
// open: root is told how to do it right, and nothing is made.
func TestInitInAFolderOfAnother(t *testing.T) {
	data := t.TempDir()
	if err := os.Chown(data, 65534, 65534); err != nil {
		t.Fatalf("run this as root: %v", err)
	}
	for _, args := range [][]string{
		{"init", "--data", data},
		{"restore", "--data", data, "--from", "copy", "--master-key", masterKey(t)},
	} {
		var out, problems bytes.Buffer
		if code := Main(t.Context(), args, &out, &problems); code == ExitOK ||
			!strings.Contains(problems.String(), `"runuser -u nobody --"`) {
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
