package command

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ldap-gateway/agent/health"
	"ldap-gateway/agent/state"
)

// TestOneForEachStateFolder: a second gateway with the folder of one that runs does not start, and the
// first goes on; with a folder of its own it does, and after the first has ended.
func TestOneForEachStateFolder(t *testing.T) {
	dir := t.TempDir()
	config := filepath.Join(dir, "gateway.hcl")
	text := "cloud {\n  url = \"http://127.0.0.1:1\"\n}\ndirectory {\n  servers = [\"ldaps://127.0.0.1:1\"]\n  base_dn = \"dc=x\"\n}\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(ctx context.Context, folder string, problems io.Writer) int {
		return Main(ctx, []string{"run", "--config", config, "--state", folder}, strings.NewReader(""), io.Discard, problems)
	}
	start := func(folder string) (stop func()) {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan int, 1)
		go func() { ended <- run(ctx, folder, io.Discard) }()
		for deadline := time.Now().Add(20 * time.Second); ; {
			if _, err := health.Ask(t.Context(), state.At(folder)); err == nil {
				break
			}
			if len(ended) > 0 || time.Now().After(deadline) {
				t.Fatal("it does not start")
			}
		}
		return func() {
			cancel()
			if code := <-ended; code != 0 {
				t.Errorf("it ends with %d", code)
			}
		}
	}
	first, second := filepath.Join(dir, "first"), filepath.Join(dir, "second")
	stop := start(first)
	var problems bytes.Buffer
	if code := run(t.Context(), first, &problems); code != 1 || !strings.Contains(problems.String(), "ldap-gateway stop") {
		t.Errorf("a second one: %d %s", code, problems.String())
	}
	if _, err := health.Ask(t.Context(), state.At(first)); err != nil {
		t.Errorf("the first: %v", err)
	}
	start(second)()
	stop()
	start(first)()
}
