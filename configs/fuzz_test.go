package configs

import (
	"bytes"
	"strings"
	"testing"
)

// FuzzParse wants neither a crash nor a secret shown: whatever stands around a
// secret, its text is in no error and in no file without secrets.
func FuzzParse(f *testing.F) {
	f.Add([]byte(Minimal), []byte(""))
	f.Add([]byte(Full), []byte("}\n"))
	f.Add([]byte("directory {\n bind {\n dn = 1\n"), []byte("x = [\n}}"))
	f.Add([]byte("cloud {\n  url = \"https://id.example.com\"\n}\ndirectory { bind { password = \"a\"\n"),
		[]byte("}\n policy {"))
	f.Fuzz(func(t *testing.T, before, after []byte) {
		const secret = "zqsecretqz"
		src := bytes.Join([][]byte{before, []byte("\npassword = \"" + secret + "\"\n"), after}, nil)
		g, err := Parse("gateway.hcl", src)
		if err == nil && (g.Cloud.URL == nil || g.Directory.Servers == nil) {
			t.Fatal("accepted without a cloud or a server")
		}
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Fatalf("the secret is shown: %v", err)
		}
	})
}
