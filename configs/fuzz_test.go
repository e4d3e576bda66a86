package configs

import (
	"bytes"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
)

// places are where a secret stands in a file that is right or wrong, as @@.
var places = []string{
	"password = \"@@\"",
	"proxy = \"http://u:@@@p\"",
	"pasword = \"@@\"",
	"(\"password\") = \"@@\"",
	"service @@ {",
	"service {\n level = \"@@\"\n}",
	"x = { level = \"@@\" }",
	"password @@",
	"\"@@\"",
	"# @@",
	"password = \"a%{@@}b\"",
	"password = \"a${@@(\\\"b\\\")}\"",
	"password = \"%{if @@ c}\"",
	"password = \"${null.@@}\"",
	"password = \"\\q@@\"",
	"password = @@(1)",
	"pasword = \"a%{~@@}b\"",
	"password \"%{@@}\"",
	"password dn = \"@@\"",
	"password.dn = \"@@\"",
	"password, dn = \"a\", \"@@\"",
	"own_identity = \"@@\"",
}

// FuzzParse wants neither a crash nor a secret shown: wherever a secret stands and
// whatever stands around it, its text is in no error and in no file as it is shown.
func FuzzParse(f *testing.F) {
	for i := range places {
		f.Add([]byte(Minimal), []byte(""), byte(i))
		f.Add([]byte(Full), []byte("}\n"), byte(i))
		f.Add([]byte("directory {\n bind {\n dn = 1\n"), []byte("x = [\n}}"), byte(i))
		f.Add([]byte("cloud {\n  url = \"https://id.example.com\"\n}\ndirectory { bind { password = \"a\"\n"),
			[]byte("}\n policy {"), byte(i))
	}
	f.Fuzz(func(t *testing.T, before, after []byte, place byte) {
		const secret = "zqsecretqz"
		stands := strings.ReplaceAll(places[int(place)%len(places)], "@@", secret)
		src := bytes.Join([][]byte{before, []byte("\n" + stands + "\n"), after}, nil)
		g, err := Parse("gateway.hcl", src)
		if err == nil && (g.Cloud.URL == nil || g.Directory.Servers == nil) {
			t.Fatal("accepted without a cloud or a server")
		}
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Fatalf("the secret is shown: %v", err)
		}
		if shown := blankSecrets(&hcl.File{Bytes: src}); bytes.Contains(shown, []byte(secret)) {
			t.Fatalf("the secret is shown: %s", shown)
		}
	})
}
