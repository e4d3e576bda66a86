package e2e

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

const module = "ldap-gateway/"

// row is one thing of a list of fences, with what belongs to it.
type row struct {
	name string
	of   []string
}

// fences say who may import whom.
type fences struct {
	house   []row // folders, from the roof to the ground, with the folders of ours that each imports
	onlyIn  []row // packages of others, with the only folders that import them
	neverIn []row // folders, with packages that they must not import
}

// file is a Go file as the fences see it: the imports of a test are left out.
type file struct {
	folder, path string
	imports      []string
}

// survey is what was found in the files while they were held against the fences.
type survey struct {
	fences
	rank     map[string]int      // where a folder stands in the house
	folders  map[string]bool     // those with Go files
	known    map[string]bool     // all that anybody imports
	used     map[[2]string]bool  // rows of house and onlyIn that some import needed
	breaches map[string]struct{} // sentences
}

// breaches returns what the files do against the fences, and what in the fences
// is of no use: a row, a permission or a ban that no file is ever held against is
// a fence that cannot fail.
func breaches(f fences, files []file) []string {
	s := &survey{
		fences:   f,
		rank:     map[string]int{},
		folders:  map[string]bool{},
		known:    map[string]bool{},
		used:     map[[2]string]bool{},
		breaches: map[string]struct{}{},
	}
	for i, r := range f.house {
		if _, twice := s.rank[r.name]; twice {
			s.found("the house has two rows for %s", r.name)
		}
		s.rank[r.name] = i
	}
	for _, file := range files {
		s.visit(file)
	}
	s.useless()
	return slices.Sorted(maps.Keys(s.breaches))
}

func (s *survey) found(format string, args ...any) {
	s.breaches[fmt.Sprintf(format, args...)] = struct{}{}
}

func (s *survey) visit(f file) {
	s.folders[f.folder] = true
	at, ok := s.rank[f.folder]
	if !ok {
		s.found("%s has no row in the house", f.folder)
		return
	}
	for _, name := range f.imports {
		s.known[name] = true
		if inner, ours := strings.CutPrefix(name, module); ours {
			s.inner(f, s.house[at], inner)
		} else {
			s.outer(f, name)
		}
	}
}

// inner holds an import of ours against the row of its folder.
func (s *survey) inner(f file, r row, name string) {
	if !slices.Contains(r.of, name) {
		s.found("%s imports %s: %s may import %v", f.path, name, r.name, r.of)
	}
	if at, ok := s.rank[name]; ok && at < s.rank[r.name] {
		s.found("%s imports %s, which stands above it", f.path, name)
	}
	s.used[[2]string{r.name, name}] = true
}

// outer holds an import of somebody else's.
func (s *survey) outer(f file, name string) {
	for _, only := range s.onlyIn {
		if !within(name, only.name) {
			continue
		}
		if !slices.Contains(only.of, f.folder) {
			s.found("%s imports %s: only %v may", f.path, name, only.of)
		}
		s.used[[2]string{only.name, f.folder}] = true
	}
	for _, never := range s.neverIn {
		banned := slices.ContainsFunc(never.of, func(of string) bool { return within(name, of) })
		if never.name == f.folder && banned {
			s.found("%s imports %s: %s must not know it", f.path, name, f.folder)
		}
	}
}

func within(name, above string) bool { return name == above || strings.HasPrefix(name, above+"/") }

// useless finds what no file was held against.
func (s *survey) useless() {
	for _, r := range s.house {
		if !s.folders[r.name] {
			s.found("there is no folder %s: take its row off", r.name)
			continue
		}
		s.unused(r)
	}
	for _, r := range s.onlyIn {
		s.unused(r)
	}
	for _, r := range s.neverIn {
		if !s.folders[r.name] {
			s.found("there is no folder %s: take its ban off", r.name)
		}
		for _, name := range r.of {
			if !s.known[name] {
				s.found("nobody imports %s: the ban in %s holds nothing", name, r.name)
			}
		}
	}
}

func (s *survey) unused(r row) {
	for _, name := range r.of {
		if !s.used[[2]string{r.name, name}] {
			s.found("%s in the row %s is used by nobody", name, r.name)
		}
	}
	if len(r.of) == 0 && !s.folders[r.name] {
		s.found("the row %s names nobody", r.name)
	}
}

// TestRoomsBreachesAreFound builds made-up houses and sees each breach named.
func TestRoomsBreachesAreFound(t *testing.T) {
	sound := func() (fences, []file) {
		return fences{
				house:   []row{{"roof", []string{"roof/loft", "ground"}}, {"roof/loft", nil}, {"ground", nil}},
				onlyIn:  []row{{"example.com/ldap", []string{"ground"}}},
				neverIn: []row{{"roof/loft", []string{"net/http"}}},
			}, []file{
				{"roof", "roof/a.go", []string{module + "roof/loft", module + "ground", "net/http"}},
				{"roof/loft", "roof/loft/a.go", []string{"strings"}},
				{"ground", "ground/a.go", []string{"example.com/ldap/filter"}},
				{"ground", "ground/a_test.go", nil},
			}
	}
	for _, c := range []struct {
		name  string
		spoil func(*fences, *[]file)
		want  string
	}{
		{"nothing", func(*fences, *[]file) {}, ""},
		{"a folder without a row, below one that has a row", func(_ *fences, files *[]file) {
			*files = append(*files, file{"roof/new", "roof/new/a.go", nil})
		}, "roof/new has no row in the house"},
		{"a folder of tests without a row", func(_ *fences, files *[]file) {
			*files = append(*files, file{"attic", "attic/a_test.go", nil})
		}, "attic has no row in the house"},
		{"a row without a folder", func(f *fences, _ *[]file) {
			f.house = append(f.house, row{"cellar", nil})
		}, "there is no folder cellar: take its row off"},
		{"two rows", func(f *fences, _ *[]file) {
			f.house = append([]row{{"ground", nil}}, f.house...)
		}, "the house has two rows for ground"},
		{"an import that is not in the row", func(f *fences, files *[]file) {
			(*files)[1].imports = append((*files)[1].imports, module+"ground")
		}, "roof/loft/a.go imports ground: roof/loft may import []"},
		{"an import of the room below one that is in the row", func(f *fences, files *[]file) {
			f.house = append(f.house, row{"ground/hole", nil})
			*files = append(*files, file{"ground/hole", "ground/hole/a.go", nil})
			(*files)[0].imports = append((*files)[0].imports, module+"ground/hole")
		}, "roof/a.go imports ground/hole: roof may import [roof/loft ground]"},
		{"an arrow upward, though the row has it", func(f *fences, files *[]file) {
			f.house[2].of = []string{"roof/loft"}
			(*files)[2].imports = append((*files)[2].imports, module+"roof/loft")
		}, "ground/a.go imports roof/loft, which stands above it"},
		{"a permission that nobody uses", func(f *fences, files *[]file) {
			(*files)[0].imports = []string{module + "roof/loft", "net/http"}
		}, "ground in the row roof is used by nobody"},
		{"a package of others in a room that may not know it", func(_ *fences, files *[]file) {
			(*files)[1].imports = append((*files)[1].imports, "example.com/ldap")
		}, "roof/loft/a.go imports example.com/ldap: only [ground] may"},
		{"an exemption that nobody uses", func(f *fences, _ *[]file) {
			f.onlyIn[0].of = append(f.onlyIn[0].of, "roof")
		}, "roof in the row example.com/ldap is used by nobody"},
		{"a package that nobody may know", func(f *fences, _ *[]file) {
			f.onlyIn = append(f.onlyIn, row{"example.com/gone", nil})
		}, "the row example.com/gone names nobody"},
		{"a ban that is broken", func(_ *fences, files *[]file) {
			(*files)[1].imports = append((*files)[1].imports, "net/http")
		}, "roof/loft/a.go imports net/http: roof/loft must not know it"},
		{"a ban on a folder that is not there", func(f *fences, _ *[]file) {
			f.neverIn = append(f.neverIn, row{"cellar", []string{"net/http"}})
		}, "there is no folder cellar: take its ban off"},
		{"a ban of what nobody imports", func(f *fences, _ *[]file) {
			f.neverIn[0].of = append(f.neverIn[0].of, "net/htp")
		}, "nobody imports net/htp: the ban in roof/loft holds nothing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, files := sound()
			c.spoil(&f, &files)
			if got := strings.Join(breaches(f, files), "\n"); got != c.want {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
}
