package e2e

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
)

// faceWrites names what a face may write itself: its own sessions, tokens, codes and
// what makes a request good once. Everything else is management's.
var faceWrites = []row{
	{"cloud/api", []string{"BeginRequest", "CreateToken", "EndRequest"}},
	{"cloud/console", nil},
	{"cloud/signonpage", []string{"AddPersonSession", "EndPersonSession"}},
	{"cloud/oidc", []string{
		"AddSigningKey", "AddToken", "CreateAuthorization", "RevokeAuthorization", "RevokeUserTokens",
		"UseCode", "UseProof",
	}},
}

// ending are methods of the store that write nothing.
var ending = []string{"Close", "Ping", "Backup", "Store"}

// writers returns the methods of the store that write: those of a Store, while reading
// is promoted to it.
func writers(files []*ast.File) map[string]bool {
	all := map[string]bool{}
	for _, f := range files {
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Recv == nil || !fn.Name.IsExported() || slices.Contains(ending, fn.Name.Name) {
				continue
			}
			star, ok := fn.Recv.List[0].Type.(*ast.StarExpr)
			if !ok {
				continue
			}
			if of, ok := star.X.(*ast.Ident); ok && (of.Name == "Store" || of.Name == "Tx") {
				all[fn.Name.Name] = true
			}
		}
	}
	return all
}

// calls returns the names of the writing methods that a file calls or hands on, unless
// it is the method of that name of a field Management, or an action of that name.
func calls(f *ast.File, writing map[string]bool) map[string]bool {
	found, actions := map[string]bool{}, imported(f, "ldap-gateway/cloud/management")
	ast.Inspect(f, func(n ast.Node) bool {
		s, ok := n.(*ast.SelectorExpr)
		if !ok || !writing[s.Sel.Name] {
			return true
		}
		field, isField := s.X.(*ast.SelectorExpr)
		name, isName := s.X.(*ast.Ident)
		byManagement := isField && field.Sel.Name == "Management"
		action := isName && name.Name == actions && name.Obj == nil
		if !byManagement && !action {
			found[s.Sel.Name] = true
		}
		return true
	})
	return found
}

// imported returns the name that a file knows a package by; empty when it does not.
func imported(f *ast.File, pkg string) string {
	for _, i := range f.Imports {
		if strings.Trim(i.Path.Value, `"`) != pkg {
			continue
		}
		if i.Name != nil {
			return i.Name.Name
		}
		return path.Base(pkg)
	}
	return ""
}

// TestHouseRulesFacesWriteNothing finds no writing call of the store in a face but what
// faceWrites names, and nothing named there that is not written.
func TestHouseRulesFacesWriteNothing(t *testing.T) {
	faces, ground := map[string][]*ast.File{}, []*ast.File{}
	sources(t, func(folder, file string, f *ast.File, _ *token.FileSet) {
		if strings.HasSuffix(file, "_test.go") {
			return
		}
		faces[folder] = append(faces[folder], f)
		if folder == "cloud/store" {
			ground = append(ground, f)
		}
	})
	writing := writers(ground)
	if len(writing) < 50 {
		t.Fatalf("the store writes by %d methods only", len(writing))
	}
	for _, face := range faceWrites {
		found := map[string]bool{}
		for folder, files := range faces {
			if !within(folder, face.name) {
				continue
			}
			for _, f := range files {
				maps.Copy(found, calls(f, writing))
			}
		}
		if got := slices.Sorted(maps.Keys(found)); !slices.Equal(got, face.of) {
			t.Errorf("%s writes by %q, and may by %q", face.name, got, face.of)
		}
	}
}

// TestHouseRulesWritesAreFound has each way of writing found in made-up files.
func TestHouseRulesWritesAreFound(t *testing.T) {
	parse := func(text string) *ast.File {
		f, err := parser.ParseFile(token.NewFileSet(), "x.go", "package x\n"+text, 0)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	writing := writers([]*ast.File{parse(`
func (s *Store) CreateUser() {}
func (tx *Tx) AddMembers() {}
func (s *Store) Close() {}
func (r reader) User() {}
func (s *Store) hidden() {}`)})
	if got := slices.Sorted(maps.Keys(writing)); !slices.Equal(got, []string{"AddMembers", "CreateUser"}) {
		t.Errorf("writing are %q", got)
	}
	for text, want := range map[string]string{
		"func f() { s.Store.CreateUser() }":                                                     "CreateUser",
		"func f() { db.CreateUser() }":                                                          "CreateUser",
		"func f() { (&other).CreateUser() }":                                                    "CreateUser",
		"func f() { g(s.Store.CreateUser) }":                                                    "CreateUser",
		"func f() { s.Store.Under().AddMembers() }":                                             "AddMembers",
		"func f() { s.Management.CreateUser() }":                                                "",
		"import m \"ldap-gateway/cloud/management\"; var a = m.CreateUser":                      "",
		"import \"ldap-gateway/cloud/management\"; var a = management.CreateUser":               "",
		"func f(m *store.Store) { m.CreateUser() }":                                             "CreateUser",
		"func f(management *store.Store) { management.CreateUser() }":                           "CreateUser",
		"import m \"ldap-gateway/cloud/management\"; func f() { m := s.Store; m.CreateUser() }": "CreateUser",
		"func f() { g(other.CreateUser) }":                                                      "CreateUser",
		"var write = tx.CreateUser":                                                             "CreateUser",
		"func f() { (*store.Store).CreateUser(db) }":                                            "CreateUser",
		"func f() { s.Store.User() }":                                                           "",
	} {
		if got := strings.Join(slices.Sorted(maps.Keys(calls(parse(text), writing))), " "); got != want {
			t.Errorf("%s: found %q, want %q", text, got, want)
		}
	}
}
