package cloud

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"
)

// TestPanicsAreTold in the log, and end one request; what is abandoned on purpose is not.
func TestPanicsAreTold(t *testing.T) {
	for path, told := range map[string]bool{"/fault": true, "/abort": false, "/fine": false} {
		var log bytes.Buffer
		server := httptest.NewServer(caught(hclog.New(&hclog.LoggerOptions{Output: &log}), http.HandlerFunc(
			func(_ http.ResponseWriter, r *http.Request) {
				switch r.URL.Path {
				case "/fault":
					_ = []int{}[len(r.URL.Path)]
				case "/abort":
					panic(http.ErrAbortHandler)
				}
			})))
		resp, err := http.Get(server.URL + path + "?secret=x")
		if (err == nil) != (path == "/fine") {
			t.Errorf("%s: %v", path, err)
		}
		if err == nil {
			must(t, resp.Body.Close())
		}
		server.Close()
		if text := log.String(); strings.Contains(text, "[ERROR]") != told || told && !strings.Contains(text, "caught_test.go") ||
			strings.Contains(text, "secret") {
			t.Errorf("%s: %s", path, text)
		}
	}
}
