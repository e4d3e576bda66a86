package e2e

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// house says who may import whom of ours. Every folder with Go files has its own
// row, a row stands above all that it may import (so no arrow points upward), and
// what a row lists it uses. Tests are exempt.
var house = []row{
	{"agent/ldap-gateway", []string{"agent/command"}},
	{"cloud/e2e/profiled/ldap-gateway", []string{"agent/command", "cloud/e2e/profiled"}},
	{"cloud/e2e/profiled/ldap-cloud", []string{"cloud/command", "cloud/e2e/profiled"}},
	{"cloud/ldap-cloud", []string{"cloud/command"}},
	{"cloud/command", []string{"cloud", "cloud/api/client", "cloud/hub", "cloud/throttle"}},
	{"cloud/e2e/profiled", nil},
	{"cloud/demo/ldap-demo", []string{"cloud/demo"}},
	{"cloud/demo", []string{
		"agent/command", "cloud", "cloud/api/client", "cloud/idp/idptest", "directory/directorytest",
	}},
	{"cloud/e2e", nil},
	{"cloud/simulation", nil},

	{"cloud", []string{
		"cloud/administrators", "cloud/alerts", "cloud/api", "cloud/applications", "cloud/audit", "cloud/console", "cloud/factors", "cloud/hub", "cloud/idp", "cloud/kerberos",
		"cloud/management", "cloud/metrics", "cloud/oidc", "cloud/outbound", "cloud/pairing", "cloud/provisioner", "cloud/samlidp", "cloud/signon", "cloud/signonpage", "cloud/store", "cloud/throttle",
		"cloud/vault", "cloud/web", "cloudlink/wire",
	}},
	{"cloud/console", []string{
		"cloud/administrators", "cloud/applications", "cloud/fault", "cloud/handbook", "cloud/hub", "cloud/idp", "cloud/idp/samlsp", "cloud/kerberos",
		"cloud/management", "cloud/mapping", "cloud/pairing", "cloud/presets", "cloud/providers", "cloud/signon", "cloud/store", "cloud/throttle", "cloud/usertypes", "cloud/web", "cloudlink/wire",
	}},
	{"cloud/console/axetest", nil},
	{"cloud/handbook", nil},
	{"cloud/api", []string{
		"cloud/applications", "cloud/fault", "cloud/idp/samlsp", "cloud/kerberos", "cloud/management", "cloud/store", "cloud/throttle", "cloud/usertypes", "cloud/vault", "cloud/web",
		"cloudlink/wire",
	}},
	{"cloud/api/client", nil},
	{"cloud/signonpage", []string{
		"cloud/applications", "cloud/factors", "cloud/idp", "cloud/kerberos", "cloud/oidc", "cloud/signon", "cloud/store", "cloud/throttle", "cloud/web", "cloudlink/wire",
	}},
	{"cloud/oidc/clienttest", []string{"cloud/idp/providertest"}},
	{"cloud/samlidp", []string{
		"cloud/applications", "cloud/idp/samlsp", "cloud/store", "cloud/throttle", "cloud/vault", "cloud/web",
	}},
	{"cloud/oidc", []string{"cloud/applications", "cloud/idp/relying", "cloud/store", "cloud/throttle", "cloud/vault", "cloud/web"}},
	{"cloud/management", []string{
		"cloud/administrators", "cloud/alerts", "cloud/fault", "cloud/idp", "cloud/idp/relying", "cloud/idp/samlsp", "cloud/kerberos", "cloud/mapping",
		"cloud/outbound", "cloud/pairing", "cloud/providers", "cloud/signon", "cloud/store", "cloud/usertypes", "cloud/vault",
	}},
	{"cloud/metrics", []string{"cloud/hub", "cloud/store", "cloud/throttle", "cloudlink/wire"}},
	{"cloud/audit", []string{"cloud/outbound", "cloud/store"}},
	{"cloud/alerts", []string{"cloud/hub", "cloud/outbound", "cloud/store", "cloudlink/wire"}},
	{"cloud/signon", []string{
		"cloud/hub", "cloud/mapping", "cloud/provisioner", "cloud/store", "cloud/throttle", "cloudlink/wire",
	}},
	{"cloud/providers", []string{"cloud/fault", "cloud/idp/relying", "cloud/idp/samlsp", "cloud/mapping", "cloud/store"}},
	{"cloud/idp", []string{
		"cloud/evidence", "cloud/idp/relying", "cloud/idp/samlsp", "cloud/mapping", "cloud/provisioner", "cloud/store",
		"cloud/web",
	}},
	{"cloud/idp/providertest", []string{"cloud/idp/idptest"}},
	{"cloud/idp/idptest", []string{"cloud/store"}},
	{"cloud/idp/relying", []string{"cloud/evidence"}},
	{"cloud/idp/samlsp", []string{"cloud/evidence"}},
	{"cloud/kerberos", []string{"cloud/provisioner", "cloud/store", "cloud/throttle", "cloud/vault"}},
	{"cloud/pairing", []string{"cloud/store", "cloud/throttle", "cloud/web", "cloudlink/wire"}},
	{"cloud/factors", []string{"cloud/administrators", "cloud/store"}},
	{"cloud/administrators", []string{"cloud/store", "cloud/throttle"}},
	{"cloud/hub", []string{"cloud/store", "cloud/throttle", "cloud/usertypes", "cloudlink/wire"}},
	{"cloud/usertypes", []string{"cloud/fault", "cloud/mapping", "cloud/store", "cloudlink/wire", "directory/dn"}},
	{"cloud/provisioner", []string{"cloud/store"}},
	{"cloud/presets", []string{"cloud/store"}},
	{"cloud/applications", []string{"cloud/store", "cloud/throttle", "cloud/vault"}},
	{"cloud/mapping", []string{"cloud/evidence", "cloud/store"}},
	{"cloud/evidence", nil},
	{"cloud/outbound", nil},
	{"cloud/fault", nil},
	{"cloud/store/storetest", []string{"cloud/store", "cloud/store/pgtest"}},
	{"cloud/store", nil},
	{"cloud/store/pgtest", nil},
	{"cloud/throttle", nil},
	{"cloud/web", nil},
	{"cloud/vault", nil},

	{"agent/command", []string{
		"agent", "agent/command/dialogue", "agent/health", "agent/policy", "agent/service", "agent/signon", "agent/state", "agent/version",
		"cloudlink", "cloudlink/wire", "configs", "directory", "installer",
	}},
	{"agent/command/dialogue", nil},
	{"agent", []string{
		"agent/audit", "agent/health", "agent/policy", "agent/service", "agent/signon", "agent/state", "agent/version",
		"cloudlink", "cloudlink/wire", "configs", "directory",
	}},
	{"agent/agenttest", []string{"agent/audit", "agent/state", "cloudlink/wire", "configs"}},
	{"agent/health", []string{"agent/audit", "agent/state", "agent/version", "cloudlink", "cloudlink/wire", "directory"}},
	{"agent/signon", []string{"agent/policy", "cloudlink/wire", "configs", "directory", "directory/dn"}},
	{"agent/policy", []string{"cloudlink/wire", "configs", "directory", "directory/dn"}},
	{"agent/version", nil},
	{"agent/audit", []string{"agent/rotated"}},
	{"agent/service", []string{"agent/rotated"}},
	{"agent/rotated", nil},
	{"agent/state", []string{"cloudlink/wire"}},

	{"installer/machinetest", nil},
	{"installer/winetest", nil},
	{"installer/notices", nil},
	{"installer", []string{"configs"}},
	{"configs", nil},

	{"directory/ds389test", []string{"directory/directorytest"}},
	{"directory/kdctest", nil},
	{"directory/sambatest", []string{"directory/directorytest"}},
	{"directory/slapdtest", []string{"directory/directorytest"}},
	{"directory/directorytest", nil},
	{"directory", []string{"directory/dn"}},
	{"directory/dn", nil},

	{"cloudlink/cloudlinktest", []string{"cloudlink/wire"}},
	{"cloudlink", []string{"cloudlink/wire"}},
	{"cloudlink/wire", nil},
}

// onlyIn names the packages of others that few rooms may know, with those rooms.
// A package stands for all below it.
var onlyIn = []row{
	{"github.com/go-ldap/ldap/v3", []string{
		"directory", "directory/directorytest", "directory/ds389test", "directory/sambatest", "directory/slapdtest",
		"cloud/usertypes", "configs", // to parse a DN or a filter
	}},
	{"github.com/go-asn1-ber/asn1-ber", []string{"directory", "directory/directorytest"}},
	{"github.com/coder/websocket", []string{"cloudlink", "cloudlink/cloudlinktest", "cloud/hub"}},
	{"github.com/nats-io", []string{"cloud/hub"}},
	{"github.com/hashicorp/hcl/v2", []string{"configs"}},
	{"github.com/zclconf/go-cty", []string{"configs"}},
	{"github.com/fxamacker/cbor/v2", []string{"cloudlink/wire", "cloud/hub"}},
	{"github.com/jcmturner/gokrb5/v8", []string{"directory", "cloud/kerberos"}},
	{"github.com/zitadel/oidc/v3", []string{"cloud/oidc"}},
	{"github.com/coreos/go-oidc/v3", []string{"cloud/idp/relying", "cloud/demo"}},
	{"golang.org/x/oauth2", []string{"cloud/idp/relying", "cloud/demo"}},
	{"github.com/go-jose/go-jose/v4", []string{"cloud/idp/idptest", "cloud/idp/relying", "cloud/oidc"}},
	{"github.com/crewjam/saml", []string{"cloud/idp/idptest", "cloud/idp/samlsp", "cloud/samlidp"}},
	{"github.com/russellhaering/goxmldsig", []string{"cloud/idp/idptest", "cloud/idp/samlsp", "cloud/samlidp"}},
	{"github.com/beevik/etree", []string{"cloud/idp/idptest", "cloud/idp/samlsp", "cloud/samlidp"}},
	{"github.com/go-webauthn/webauthn", []string{"cloud/administrators"}},
	{"github.com/alexedwards/scs/v2", []string{"cloud/console", "cloud/signonpage", "cloud/web"}},
	{"github.com/jackc/pgx/v5", []string{"cloud/store", "cloud/store/pgtest"}},
	{"modernc.org/sqlite", []string{"cloud/store"}},
	{"github.com/yuin/goldmark", []string{"cloud/handbook"}},
	{"database/sql", []string{"cloud/store", "cloud/store/pgtest"}},
	{"crypto/hpke", []string{"cloudlink/wire"}},
	{"crypto/cipher", []string{"cloudlink/wire", "cloud/vault"}},
}

// neverIn names what single rooms must not know besides.
var neverIn = []row{
	{"cloud/provisioner", []string{"net/http"}},
	{"cloudlink/wire", []string{"net", "net/http", "os"}},
}

// sources calls visit with every Go file of ours and the folder it is in.
func sources(t *testing.T, visit func(folder, path string, f *ast.File, fset *token.FileSet)) {
	t.Helper()
	root := filepath.Join("..", "..")
	fset := token.NewFileSet()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, path)
		if d.IsDir() && rel != "." && strings.HasPrefix(d.Name(), ".") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") {
			return nil
		}
		f, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		visit(filepath.ToSlash(filepath.Dir(rel)), filepath.ToSlash(rel), f, fset)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestRoomsImportOnlyWhatTheyMay(t *testing.T) {
	var files []file
	sources(t, func(folder, path string, f *ast.File, _ *token.FileSet) {
		if strings.HasSuffix(path, "_test.go") {
			files = append(files, file{folder: folder, path: path})
			return
		}
		it := file{folder: folder, path: path}
		for _, i := range f.Imports {
			name, _ := strconv.Unquote(i.Path.Value)
			it.imports = append(it.imports, name)
		}
		files = append(files, it)
	})
	for _, breach := range breaches(fences{house, onlyIn, neverIn}, files) {
		t.Error(breach)
	}
}

// TestHouseRulesLinesAreNarrow wants no line but of a test longer than 120 characters.
func TestHouseRulesLinesAreNarrow(t *testing.T) {
	sources(t, func(_, path string, _ *ast.File, _ *token.FileSet) {
		if strings.HasSuffix(path, "_test.go") {
			return
		}
		text, err := os.ReadFile(filepath.Join("..", "..", path))
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(text), "\n") {
			if n := utf8.RuneCountInString(line); n > 120 {
				t.Errorf("%s:%d has %d characters, at most 120", path, i+1, n)
			}
		}
	})
}

// TestEveryRoomSaysWhatItIs wants one package comment each, in doc.go or, for a
// program, beside main.
func TestEveryRoomSaysWhatItIs(t *testing.T) {
	docs, folders := map[string]int{}, map[string]bool{}
	sources(t, func(folder, path string, f *ast.File, _ *token.FileSet) {
		if strings.HasSuffix(path, "_test.go") {
			return
		}
		folders[folder] = true
		if f.Doc != nil {
			docs[folder]++
		}
	})
	for folder := range folders {
		if docs[folder] != 1 {
			t.Errorf("%s has %d package comments", folder, docs[folder])
		}
	}
}

// TestHouseRules holds lengths and a few habits.
func TestHouseRules(t *testing.T) {
	sources(t, func(_, path string, f *ast.File, fset *token.FileSet) {
		test := strings.HasSuffix(path, "_test.go")
		lines := fset.File(f.Pos()).LineCount()
		if limit := map[bool]int{false: 400, true: 600}[test]; lines > limit {
			t.Errorf("%s has %d lines, at most %d", path, lines, limit)
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if n := fset.Position(fn.End()).Line - fset.Position(fn.Pos()).Line + 1; n > 60 && !test {
				t.Errorf("%s: %s has %d lines, at most 60", path, fn.Name.Name, n)
			}
			if fn.Name.Name == "init" && fn.Recv == nil {
				t.Errorf("%s has an init()", path)
			}
			if ast.IsExported(fn.Name.Name) && fn.Doc == nil && !test && exportedReceiver(fn) {
				t.Errorf("%s: %s has no comment", path, fn.Name.Name)
			}
		}
	})
}

func exportedReceiver(fn *ast.FuncDecl) bool {
	if fn.Recv == nil {
		return true
	}
	typ := fn.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	name, ok := typ.(*ast.Ident)
	return ok && ast.IsExported(name.Name)
}
