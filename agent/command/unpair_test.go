package command

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ldap-gateway/agent/state"
)

// TestUnpairDoesNotWaitForCloud has a cloud that takes the request and says
// nothing: the command gives up after its five seconds, and the keys stay.
func TestUnpairDoesNotWaitForCloud(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dir := t.TempDir()
	file := fmt.Sprintf(
		"cloud {\n  url = \"http://%s\"\n}\ndirectory {\n  servers = [\"ldaps://dc.example.test\"]\n  base_dn = "+
			"\"dc=example,dc=test\"\n  bind {\n    dn = \"cn=a\"\n    password = env(\"HOME\")\n  }\n}\n",
		l.Addr(),
	)
	if err := os.WriteFile(filepath.Join(dir, "gateway.hcl"), []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	keys, err := state.NewKeys()
	if err != nil {
		t.Fatal(err)
	}
	folder := state.At(filepath.Join(dir, "state"))
	if err := folder.SaveInstance(state.Instance{ID: "i1", GatewayName: "HQ", Keys: keys}); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	from := time.Now()
	code := Main(
		t.Context(),
		[]string{"unpair", "--config", filepath.Join(dir, "gateway.hcl"), "--state", folder.String()},
		strings.NewReader(""),
		&out,
		&out,
	)
	if took := time.Since(from); code != ExitFailed || took < 4*time.Second || took > 8*time.Second {
		t.Errorf("%d after %s: %s", code, took, &out)
	}
	if !strings.Contains(out.String(), "revoke instance i1 of gateway \"HQ\" in the console") {
		t.Error(out.String())
	}
	if _, err := folder.Instance(); err != nil {
		t.Errorf("the keys are gone: %v", err)
	}
}
