package configs

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
)

// CredentialName is the file beside gateway.hcl that a draft keeps the service
// account's password in, and the credential of the unit.
const CredentialName = "bind.password"

// The files beside gateway.hcl that a draft keeps copies of authorities in: where
// they come from the service may not be able to read them, or somebody tidies up.
const (
	cloudCAName     = "cloud-ca.pem"
	directoryCAName = "directory-ca.pem"
)

// Draft is a gateway.hcl to be written: what it says besides the defaults.
type Draft struct {
	CloudURL, Proxy, CloudCA string
	Servers                  []string // or Discover
	Discover                 string
	BaseDN                   string
	BindDN                   string // empty: anonymous
	Password                 Secret // of BindDN
	DirectoryCA              string
	Pins                     []string // "sha256:…"
}

// values are the keys that the draft has an answer for, by their path.
func (d Draft) values() map[string]string {
	out := map[string]string{}
	set := func(path string, values ...string) {
		if len(values) > 0 && values[0] != "" {
			out[path] = quoted(values[0])
		}
	}
	list := func(path string, values []string) {
		var all []string
		for _, v := range values {
			all = append(all, quoted(v))
		}
		if len(all) > 0 {
			out[path] = "[" + strings.Join(all, ", ") + "]"
		}
	}
	set("cloud.url", d.CloudURL)
	set("cloud.proxy", d.Proxy)
	set("cloud.ca_file", d.CloudCA)
	list("directory.servers", d.Servers)
	set("directory.discover", d.Discover)
	set("directory.base_dn", d.BaseDN)
	set("directory.tls.ca_file", d.DirectoryCA)
	list("directory.tls.pin", d.Pins)
	if d.BindDN != "" {
		set("directory.bind.dn", d.BindDN)
		out["directory.bind.password"] = "credential(" + quoted(CredentialName) + ")"
	}
	return out
}

func quoted(s string) string {
	return string(hclwrite.TokensForValue(cty.StringVal(s)).Bytes())
}

// Text returns the file: the full sample, in which the keys of the draft stand
// with their values and all others as comments with their defaults.
func (d Draft) Text() string {
	values := d.values()
	var out strings.Builder
	path := []string{}
	for line := range strings.Lines(Full) {
		head, key := blockHead.FindStringSubmatch(line), keyLine.FindStringSubmatch(line)
		end := blockEnd.MatchString(line)
		if head != nil {
			path = append(path, head[1])
		}
		switch {
		case head != nil || end:
			line = shown(line, len(path), open(values, path), len(path) == 1 || open(values, path[:len(path)-1]))
		case key != nil:
			value, given := values[strings.Join(append(path[:len(path):len(path)], key[2]), ".")]
			if given {
				line = key[1] + value + "\n"
			}
			line = shown(line, len(path)+1, given, open(values, path))
		}
		if end {
			path = path[:len(path)-1]
		}
		out.WriteString(line)
	}
	return out.String()
}

// The lines of the sample, which may be comments.
var (
	blockHead = regexp.MustCompile(`^[ #]*(\w+) \{\n$`)
	blockEnd  = regexp.MustCompile(`^[ #]*\}\n$`)
	keyLine   = regexp.MustCompile(`^([ #]*(\w+) *= )`)
)

// open tells whether a block is one of the file: it has an answer in it, or is
// one that every file may have empty.
func open(values map[string]string, path []string) bool {
	at := strings.Join(path, ".")
	if at == "policy" {
		return true
	}
	for key := range values {
		if strings.HasPrefix(key, at+".") {
			return true
		}
	}
	return false
}

// shown returns a line of the sample as part of the file or as a comment, at its
// depth: 1 is the outermost. A comment within a comment stays as it is.
func shown(line string, depth int, active, within bool) string {
	if !active && !within && strings.HasPrefix(strings.TrimLeft(line, " "), "#") {
		return line
	}
	indent := strings.Repeat("  ", depth-1)
	if !active {
		indent += "# "
	}
	return indent + strings.TrimLeft(line, " #")
}

// Check returns what the file would say; its error is that of Parse. Nothing is
// written, and the password need not be in a file.
func (d Draft) Check(path string) (*Gateway, error) {
	return parse(path, []byte(d.Text()), map[string]string{CredentialName: d.Password.Reveal()})
}

// Save writes the file at path, and the password and the authorities beside it,
// each whole or not at all and readable by the owner and the group of their folder,
// which is made when it is not there. A file of another content is kept with ".old" at its end, unless
// it is the sample as a package puts it there.
func (d Draft) Save(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return err
	}
	if d.BindDN != "" {
		if err := replace(filepath.Join(filepath.Dir(path), CredentialName), d.Password.Reveal()+"\n"); err != nil {
			return err
		}
	}
	for name, ca := range map[string]*string{cloudCAName: &d.CloudCA, directoryCAName: &d.DirectoryCA} {
		if err := bring(ca, filepath.Join(filepath.Dir(path), name)); err != nil {
			return err
		}
	}
	text := d.Text()
	old, err := readFile(path)
	switch {
	case err == nil && string(old) == text:
		return nil
	case err == nil && string(old) != Minimal:
		if err := replace(path+".old", string(old)); err != nil {
			return err
		}
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	return replace(path, text)
}

// bring copies a file to where the service can read it, unless it is there, and
// names the copy instead.
func bring(file *string, to string) error {
	if *file == "" {
		return nil
	}
	whole, err := filepath.Abs(to)
	if err != nil {
		return err
	}
	if filepath.Dir(filepath.FromSlash(*file)) == filepath.Dir(whole) {
		return nil
	}
	pem, err := readFile(*file)
	if err != nil {
		return err
	}
	*file = filepath.ToSlash(whole)
	return replace(whole, string(pem))
}

// replace writes a file beside the one at path and renames it over that.
func replace(path, text string) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	_, err = f.WriteString(text)
	if err == nil {
		err = forGroup(f, filepath.Dir(path))
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
