package configs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// reader takes values out of expressions and gathers every mistake.
type reader struct {
	eval  *hcl.EvalContext
	dir   string // of gateway.hcl
	src   []byte
	diags hcl.Diagnostics
	given map[string]string // credentials that are in no file yet
	exact map[string]string // what functions read, by what HCL makes of it
}

func newReader(dir string) *reader {
	r := &reader{dir: dir, exact: map[string]string{}}
	r.eval = &hcl.EvalContext{Functions: map[string]function.Function{
		"credential": r.oneString("credential", "name", r.credential),
		"env":        r.oneString("env", "name", readEnv),
		"file":       r.oneString("file", "path", r.readFile),
	}}
	return r
}

// oneString is a function of HCL. That has every string in Unicode's form C, and
// a password is not to be changed.
func (r *reader) oneString(name, param string, f func(string) (string, error)) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: param, Type: cty.String}},
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			s, err := f(args[0].AsString())
			if err != nil && !functionNames[name].MatchString(args[0].AsString()) {
				err = errUnusualName
			}
			if err != nil {
				return cty.NilVal, function.NewArgError(0, err)
			}
			v := cty.StringVal(s)
			r.exact[v.AsString()] = s
			return v, nil
		},
	})
}

// errUnusualName is why nothing was read, where what was named may be a secret.
var errUnusualName = errors.New("nothing has this name, which is not repeated, since it may be a secret: name a file " +
	"with its extension or folder, an environment variable in capitals, or a credential as systemd has it")

// read returns what functions read, in both forms of it.
func (r *reader) read() (all []string) {
	for normal, exact := range r.exact {
		all = append(all, normal, exact)
	}
	return all
}

func readEnv(name string) (string, error) {
	v, ok := os.LookupEnv(name)
	if !ok {
		return "", fmt.Errorf("the environment variable %s is not set", name)
	}
	return v, nil
}

func (r *reader) readFile(path string) (string, error) {
	b, err := readFile(r.path(path))
	return strings.TrimRight(string(b), "\r\n"), err
}

// credential reads what systemd's LoadCredential= handed over under a name, and
// else the file of that name. An empty credential is none: a unit has one for
// a file that may not be there.
func (r *reader) credential(name string) (string, error) {
	if secret, ok := r.given[name]; ok {
		return secret, nil
	}
	if name != filepath.Base(name) {
		return "", fmt.Errorf("%q is a path: give the name of a credential, or use file()", name)
	}
	if dir := os.Getenv("CREDENTIALS_DIRECTORY"); dir != "" {
		if secret, err := r.readFile(filepath.Join(dir, name)); err == nil && secret != "" {
			return secret, nil
		}
	}
	return r.readFile(name)
}

// path returns a path in the file relative to the file.
func (r *reader) path(p string) string {
	if filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(r.dir, p)
}

// mistake records one at the place of e.
func (r *reader) mistake(e hcl.Expression, summary, detail string, args ...any) {
	r.diags = append(r.diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary,
		Detail: fmt.Sprintf(detail, args...), Subject: e.Range().Ptr()})
}

// value decodes e into out and tells whether there was a value. An attribute
// that is not in the file leaves out as it is.
func (r *reader) value(e hcl.Expression, out any) bool {
	if e == nil || isNull(e) {
		return false
	}
	diags := gohcl.DecodeExpression(e, r.eval, out)
	r.diags = append(r.diags, quiet(dropEchoes(diags), r.src)...)
	return !diags.HasErrors()
}

func isNull(e hcl.Expression) bool {
	v, diags := e.Value(nil)
	return !diags.HasErrors() && v.IsNull()
}

// dropEchoes leaves out the "value must be known" that HCL adds to a function
// that failed.
func dropEchoes(diags hcl.Diagnostics) hcl.Diagnostics {
	if len(diags) < 2 {
		return diags
	}
	return diags[:1]
}

func (r *reader) str(e hcl.Expression, fallback string) string {
	r.value(e, &fallback)
	return fallback
}

// required is str for an attribute that must be there, and not be empty.
func (r *reader) required(e hcl.Expression, key, example string) (s string) {
	if isNull(e) || r.value(e, &s) && s == "" {
		r.missingKey(e, key, example)
	}
	return s
}

// missingKey records that key is not there; example is its value.
func (r *reader) missingKey(e hcl.Expression, key, example string) {
	r.mistake(e, "Missing "+key, "Write for example:\n%s = %s", key, example)
}

func (r *reader) flag(e hcl.Expression) (b bool) {
	r.value(e, &b)
	return b
}

func (r *reader) list(e hcl.Expression) (l []string) {
	r.value(e, &l)
	return l
}

func (r *reader) number(e hcl.Expression, fallback, low, high int) int {
	n := fallback
	if r.value(e, &n) && (n < low || n > high) {
		r.mistake(e, "Number out of range", "Write a whole number from %d to %d.", low, high)
	}
	return n
}

// choice returns one of the words, in the case that words has.
func (r *reader) choice(e hcl.Expression, fallback string, words ...string) string {
	s := fallback
	if !r.value(e, &s) {
		return fallback
	}
	i := slices.IndexFunc(words, func(w string) bool { return strings.EqualFold(w, s) })
	if i < 0 {
		r.mistake(e, "Unknown word", "Write one of: %s.", strings.Join(words, ", "))
		return fallback
	}
	return words[i]
}

func (r *reader) duration(e hcl.Expression, fallback, low, high time.Duration) time.Duration {
	var s string
	if !r.value(e, &s) {
		return fallback
	}
	d, err := time.ParseDuration(s)
	switch {
	case err != nil:
		r.mistake(e, "Not a duration", `Write a number with its unit in quotes, such as "5s", "500ms" or "10m".`)
	case d < low || d > high:
		r.mistake(e, "Duration out of range", "Write a duration from %s to %s.", low, high)
	}
	return d
}
