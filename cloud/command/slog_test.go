package command

import (
	"bytes"
	"ldap-gateway/cloud/throttle"
	"log/slog"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"
)

func TestLibrariesLogAsWeDo(t *testing.T) {
	var out bytes.Buffer
	l := slog.New(slogHandler{lines: &throttle.Sample{}, log: hclog.New(&hclog.LoggerOptions{Output: &out, Level: hclog.Info, JSONFormat: true})})
	l.Debug("not heard")
	l.With("client", "c1").WithGroup("request").Error("refused", "path", "/as/token\nforged line")
	text := out.String()
	for _, want := range []string{`"@level":"warn"`, `"client":"c1"`, `"request.path":"/as/token\nforged line"`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
	if strings.Count(text, "\n") != 1 {
		t.Errorf("more than a line: %s", text)
	}
}
