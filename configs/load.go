package configs

import (
	"bytes"
	"cmp"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// Mistakes is the error of a file that is not right. Its text shows every
// mistake with its place; no secret is in it.
type Mistakes struct {
	Path  string
	Count int
	text  string
}

// Error returns the mistakes, a paragraph each.
func (m *Mistakes) Error() string { return m.text }

// Load reads and checks the file at path. Its error is *Mistakes for a file
// that is not right, and wraps fs.ErrNotExist when there is none.
func Load(path string) (*Gateway, error) {
	src, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w: \"ldap-gateway setup\" writes it, or name another with --config", err)
	}
	return Parse(path, src)
}

// Parse checks src as Load does the file at path, to which file() is relative.
func Parse(path string, src []byte) (*Gateway, error) { return parse(path, src, nil) }

func parse(path string, src []byte, given map[string]string) (*Gateway, error) {
	parser := hclparse.NewParser()
	name := filepath.Base(path)
	if diags := shape(src, name); diags.HasErrors() {
		return nil, mistakes(path, parser, diags)
	}
	f, diags := parser.ParseHCL(src, name)
	if diags.HasErrors() {
		return nil, mistakes(path, parser, quiet(diags, src))
	}
	r := newReader(filepath.Dir(path))
	r.given, r.src = given, src
	var body fileBody
	r.diags = quiet(gohcl.DecodeBody(f.Body, r.eval, &body), src)
	g := &Gateway{Path: path}
	r.gateway(&body, f.Body, g)
	if r.diags.HasErrors() {
		return nil, mistakes(path, parser, r.diags, r.read()...)
	}
	g.read = r.read()
	return g, nil
}

// gateway fills g. A block that is missing is told by the block's own reader.
func (r *reader) gateway(b *fileBody, body hcl.Body, g *Gateway) {
	if b.Cloud == nil && !has(body, "cloud") {
		r.missing(body, "cloud", "cloud {\n  url = \"https://id.example.com\"\n}")
	} else if b.Cloud != nil {
		g.Cloud = r.cloud(b.Cloud)
	}
	if b.Directory == nil && !has(body, "directory") {
		r.missing(body, "directory",
			"directory {\n  servers = [\"ldaps://dc1.example.com\"]\n  base_dn = \"DC=example,DC=com\"\n}")
	} else if b.Directory != nil {
		g.Directory = r.directory(b.Directory)
	}
	g.Policy = r.policy(b.Policy, g.Directory.BaseDN)
	g.Audit = r.audit(b.Audit)
	g.Metrics = r.metrics(b.Metrics)
	g.Log = r.log(b.Log)
}

// has tells whether a block is there, be it twice: then it is not decoded, and that is
// another mistake.
func has(body hcl.Body, block string) bool {
	syntax, is := body.(*hclsyntax.Body)
	return is && slices.ContainsFunc(syntax.Blocks, func(b *hclsyntax.Block) bool { return b.Type == block })
}

func (r *reader) missing(body hcl.Body, block, example string) {
	end := body.MissingItemRange()
	r.diags = append(r.diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Missing " + block + " block",
		Detail: "Every gateway.hcl has one. Write for example:\n" + example, Subject: &end})
}

// mistakes writes diags with their source lines, secrets blanked, and without what
// functions read.
func mistakes(path string, parser *hclparse.Parser, diags hcl.Diagnostics, read ...string) error {
	files := map[string]*hcl.File{}
	for name, f := range parser.Files() {
		shown := *f
		shown.Bytes, shown.Nav = blankSecrets(f), plainNav{f.Nav}
		files[name] = &shown
	}
	slices.SortStableFunc(diags, byPlace)
	var text bytes.Buffer
	if err := hcl.NewDiagnosticTextWriter(&text, files, 100, false).WriteDiagnostics(diags); err != nil {
		return err
	}
	for _, hint := range backslashHints(diags, parser) {
		text.WriteString(hint + "\n\n")
	}
	count := len(diags.Errs())
	fmt.Fprintf(&text, "%s: %d mistake%s.\n", filepath.Base(path), count, plural(count))
	return &Mistakes{
		Path:  path,
		Count: count,
		text:  withoutUserinfo(scrub(text.String(), source(parser), append(read, lostTexts(source(parser))...))),
	}
}

// source returns the file that was parsed; nil when none was.
func source(parser *hclparse.Parser) []byte {
	for _, f := range parser.Files() {
		return f.Bytes
	}
	return nil
}

func byPlace(a, b *hcl.Diagnostic) int {
	if a.Subject == nil || b.Subject == nil {
		return 0
	}
	return cmp.Compare(a.Subject.Start.Byte, b.Subject.Start.Byte)
}

// What a backslash was meant for that is no escape of HCL.
const (
	hintPath = `On Windows write paths with forward slashes, as in "C:/Users/ca.pem".`
	hintDN   = `In a DN write each backslash twice, as in "CN=Smith\\, John,OU=People,DC=example,DC=com".`
)

// backslashHints says what to write instead of escapes that are none, each once.
func backslashHints(diags hcl.Diagnostics, parser *hclparse.Parser) (hints []string) {
	for _, d := range diags {
		if hint := backslashHint(d, parser); hint != "" && !slices.Contains(hints, hint) {
			hints = append(hints, hint)
		}
	}
	return hints
}

// backslashHint goes by what stands before it between the quotation marks: a DN has
// an equals sign there, a path has none. Empty when the mistake is at no backslash.
func backslashHint(d *hcl.Diagnostic, parser *hclparse.Parser) string {
	if d.Subject == nil {
		return ""
	}
	f := parser.Files()[d.Subject.Filename]
	if f == nil || !d.Subject.CanSliceBytes(f.Bytes) || !bytes.HasPrefix(d.Subject.SliceBytes(f.Bytes), []byte(`\`)) {
		return ""
	}
	before := f.Bytes[:d.Subject.Start.Byte]
	if bytes.IndexByte(before[bytes.LastIndexByte(before, '"')+1:], '=') >= 0 {
		return hintDN
	}
	return hintPath
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}
