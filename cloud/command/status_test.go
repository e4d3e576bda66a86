package command

import (
	"bytes"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestStatus asks clouds of every kind how they are.
func TestStatus(t *testing.T) {
	code := http.StatusOK
	cloud := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/ready" {
			t.Errorf("asked for %s", r.URL)
		}
		w.WriteHeader(code)
	}))
	cloud.Config.ErrorLog = log.New(io.Discard, "", 0)
	cloud.StartTLS()
	defer cloud.Close()
	dir := t.TempDir()
	authority, text := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "text")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cloud.Certificate().Raw})
	for path, content := range map[string][]byte{authority: certificate, text: []byte("no certificate")} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		ready int
		args  []string
		exit  int
		want  string
	}{
		"ready":           {200, []string{"--url", cloud.URL, "--ca", authority}, ExitOK, "ready\n"},
		"not ready":       {503, []string{"--url", cloud.URL, "--ca", authority}, ExitFailed, "not ready"},
		"no authority":    {200, []string{"--url", cloud.URL}, ExitFailed, "certificate"},
		"no such file":    {200, []string{"--url", cloud.URL, "--ca", dir + "/none"}, ExitFailed, "--ca"},
		"no certificate":  {200, []string{"--url", cloud.URL, "--ca", text}, ExitUsage, "no certificate in PEM"},
		"no URL":          {200, []string{"--url", "cloud"}, ExitUsage, "--url"},
		"JSON":            {200, []string{"--url", cloud.URL, "--ca", authority, "--json"}, ExitOK, `{"ready":true,"url":"` + cloud.URL + `"}`},
		"JSON, not ready": {503, []string{"--url", cloud.URL, "--ca", authority, "--json"}, ExitFailed, `"ready":false`},
		"JSON, no URL":    {200, []string{"--url", "cloud", "--json"}, ExitUsage, "--url"},
		"nobody is there": {200, []string{"--url", "http://127.0.0.1:1"}, ExitFailed, "refused"},
	} {
		var out bytes.Buffer
		code = c.ready
		exit := Main(t.Context(), append([]string{"status"}, c.args...), &out, &out)
		if exit != c.exit || !strings.Contains(out.String(), c.want) {
			t.Errorf("%s: %d: %s", name, exit, &out)
		}
	}
}
