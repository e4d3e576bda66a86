package configs

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

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
		return nil, fmt.Errorf("%w: write the file, starting from the sample, or name another with --config", err)
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
		return nil, mistakes(path, parser, diags)
	}
	r := newReader(filepath.Dir(path))
	r.given = given
	var body fileBody
	r.diags = gohcl.DecodeBody(f.Body, r.eval, &body)
	g := &Gateway{Path: path}
	r.gateway(&body, f.Body, g)
	if r.diags.HasErrors() {
		return nil, mistakes(path, parser, r.diags)
	}
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
		r.missing(body, "directory", "directory {\n  servers = [\"ldaps://dc1.example.com\"]\n  base_dn = \"DC=example,DC=com\"\n}")
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

// mistakes writes diags with their source lines, secrets blanked.
func mistakes(path string, parser *hclparse.Parser, diags hcl.Diagnostics) error {
	files := map[string]*hcl.File{}
	for name, f := range parser.Files() {
		shown := *f
		shown.Bytes = blankSecrets(f)
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
	return &Mistakes{Path: path, Count: count, text: scrub(text.String(), source(parser))}
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

// blankSecrets returns the source with every literal value of a secret key
// replaced by stars. It works on tokens, so that it holds for a file that does
// not parse too: after a secret key and its equals sign, everything literal is
// blanked up to the end of the line, a heredoc to its end. And it works on lines,
// since a quotation mark that is not closed makes other tokens of all that follows.
func blankSecrets(f *hcl.File) []byte {
	out := bytes.Clone(f.Bytes)
	tokens, _ := hclsyntax.LexConfig(f.Bytes, "", hcl.InitialPos)
	secret := false
	for i, t := range tokens {
		switch {
		case t.Type == hclsyntax.TokenIdent && secretKeys[string(t.Bytes)] && i+1 < len(tokens) && tokens[i+1].Type == hclsyntax.TokenEqual:
			secret = true
		case t.Type == hclsyntax.TokenNewline:
			secret = false
		case secret && literal(t.Type) && !isArgument(tokens, i):
			blank(out[t.Range.Start.Byte:t.Range.End.Byte])
		}
	}
	for _, piece := range secretPieces(f.Bytes) {
		blank(out[piece[0]:piece[1]])
	}
	return out
}

// secretPieces returns where literal secrets begin and end, without the quotation
// marks and brackets around them, by lines alone.
func secretPieces(src []byte) (pieces [][2]int) {
	for _, at := range secretLine.FindAllSubmatchIndex(src, -1) {
		from, to := at[2], at[3]
		if readsSecret.Match(src[from:to]) {
			continue
		}
		for _, piece := range betweenQuotes.FindAllIndex(src[from:to], -1) {
			pieces = append(pieces, [2]int{from + piece[0], from + piece[1]})
		}
	}
	return pieces
}

// scrub takes literal secrets out of a text about a source. It is the second lock:
// what does not parse may be taken for anything, a secret for the name of a block.
func scrub(text string, src []byte) string {
	for _, piece := range secretPieces(src) {
		if secret := src[piece[0]:piece[1]]; len(secret) >= 4 {
			text = strings.ReplaceAll(text, string(secret), "****")
		}
	}
	return text
}

// betweenQuotes finds what is neither a quotation mark nor a bracket or blank beside one.
var betweenQuotes = regexp.MustCompile(`[^"\[\]{}(), \t\r](?:[^"]*[^"\[\]{}(), \t\r])?`)

// readsSecret finds what stands in a secret's place and is none: a function that
// reads it, and the beginning of a heredoc.
var readsSecret = regexp.MustCompile(`^(?:(?:credential|file|env)[ \t]*\(|<<)`)

// secretLine finds what stands behind a secret key and its equals sign, up to the
// end of the line.
var secretLine = regexp.MustCompile(`(?m)\b(?:` + strings.Join(slices.Sorted(maps.Keys(secretKeys)), "|") + `)[ \t]*=[ \t]*([^ \t\n].*)$`)

// WithoutSecrets returns the file at path, whether it is right or not, with every
// literal value of a secret key replaced by stars, and without its comments, which
// may say anything.
func WithoutSecrets(path string) ([]byte, error) {
	src, err := readFile(path)
	if err != nil {
		return nil, err
	}
	tokens, _ := hclsyntax.LexConfig(src, "", hcl.InitialPos)
	out := blankSecrets(&hcl.File{Bytes: src})
	for i := len(tokens) - 1; i >= 0; i-- {
		if t := tokens[i]; t.Type == hclsyntax.TokenComment {
			end := t.Range.End.Byte
			if bytes.HasSuffix(t.Bytes, []byte("\n")) {
				end-- // the line end is in the comment
			}
			out = slices.Delete(out, t.Range.Start.Byte, end)
		}
	}
	return out, nil
}

func literal(t hclsyntax.TokenType) bool {
	switch t {
	case hclsyntax.TokenQuotedLit, hclsyntax.TokenStringLit, hclsyntax.TokenNumberLit, hclsyntax.TokenInvalid,
		hclsyntax.TokenBadUTF8, hclsyntax.TokenIdent, hclsyntax.TokenQuotedNewline:
		return true
	}
	return false
}

// isArgument tells whether the token is a function, or the quoted argument of one.
func isArgument(tokens hclsyntax.Tokens, i int) bool {
	name := func(j int) bool {
		return j >= 0 && tokens[j].Type == hclsyntax.TokenIdent && slices.Contains([]string{"credential", "file", "env"}, string(tokens[j].Bytes))
	}
	return name(i) || i >= 3 && tokens[i-1].Type == hclsyntax.TokenOQuote && tokens[i-2].Type == hclsyntax.TokenOParen && name(i-3)
}

func blank(b []byte) {
	for i, c := range b {
		if c != '\n' && c != '\r' {
			b[i] = '*'
		}
	}
}
