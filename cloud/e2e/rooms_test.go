package e2e

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "ldap-gateway/"

// mayImport lists, for each room, which rooms it may import; a room stands for
// those below it that have no line of their own. Tests are exempt.
var mayImport = map[string][]string{
	"agent":             {"agent", "directory", "cloudlink", "configs", "installer"},
	"cloud":             {"cloud", "cloudlink/wire"},
	"cloud/demo":        {"agent", "cloud", "directory"},
	"cloud/provisioner": {"cloud/store"},
	"cloud/store":       {},
	"cloudlink":         {"cloudlink"},
	"cloudlink/wire":    {},
	"configs":           {},
	"directory":         {"directory"},
	"installer":         {"configs"},
}

// neverImport lists what single rooms must not know besides.
var neverImport = map[string][]string{
	"cloud/provisioner": {"net/http", "github.com/coder/websocket", "github.com/go-ldap/ldap/v3"},
	"cloudlink/wire":    {"net", "net/http", "os", "github.com/go-ldap/ldap/v3"},
	"cloud/console":     {"github.com/go-ldap/ldap/v3"},
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

// room returns the entry of mayImport that a folder falls under.
func room(folder string) string {
	for at := folder; at != "."; at = filepath.ToSlash(filepath.Dir(at)) {
		if _, ok := mayImport[at]; ok {
			return at
		}
	}
	return ""
}

func TestRoomsImportOnlyWhatTheyMay(t *testing.T) {
	seen := map[string]bool{}
	sources(t, func(folder, path string, f *ast.File, _ *token.FileSet) {
		r := room(folder)
		if r == "" {
			t.Errorf("%s is in no room", path)
			return
		}
		seen[r] = true
		if strings.HasSuffix(path, "_test.go") {
			return
		}
		for _, i := range f.Imports {
			name, _ := strconv.Unquote(i.Path.Value)
			if slices.Contains(neverImport[r], name) {
				t.Errorf("%s imports %s: %s must not know it", path, name, r)
			}
			inner, ours := strings.CutPrefix(name, module)
			if ours && !slices.ContainsFunc(mayImport[r], func(may string) bool { return inner == may || strings.HasPrefix(inner, may+"/") }) {
				t.Errorf("%s imports %s: %s may import %v", path, name, r, mayImport[r])
			}
		}
	})
	for r := range mayImport {
		if !seen[r] {
			t.Errorf("there is no room %s any more: take it off the list", r)
		}
	}
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
