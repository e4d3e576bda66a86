package configs

import (
	"bytes"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// secretKeys are the attributes whose source is never shown.
var secretKeys = []string{"password", "proxy"}

// blankSecrets returns the source with everything replaced by stars that is not known to
// be harmless: names of keys and blocks, and the values of keys that hold no secret, where
// the schema has them. It works on tokens, so that it holds for a file that does not parse
// too: from a key to the end of its line, or of the brackets that are open there, a heredoc
// to its end. A quotation mark that is not closed makes other tokens of all that follows:
// of such a file only plain lines are shown.
func blankSecrets(f *hcl.File) []byte {
	out := bytes.Clone(f.Bytes)
	h := hidingIn(f.Bytes)
	if h.broken() {
		blankLines(f.Bytes, out)
		return out
	}
	for i, t := range h.tokens {
		if h.hides(i) || t.Type == hclsyntax.TokenComment {
			blank(out[t.Range.Start.Byte:t.Range.End.Byte])
		}
	}
	for _, piece := range hiddenPieces(f.Bytes) {
		blank(out[piece[0]:piece[1]])
	}
	return out
}

// hiding goes through the tokens of a file.
type hiding struct {
	tokens  hclsyntax.Tokens
	at      []*block // that are open; the last is the innermost
	opener  string   // what began the line, where it is no key
	hidden  bool     // literals, from here on
	address bool     // literals that are none, from here on
	only    bool     // literals that are texts, from here on
	lost    bool     // hidden, and not as the value of a key
	within  bool     // a line
	depth   int      // of brackets
}

func hidingIn(src []byte) *hiding {
	tokens, _ := hclsyntax.LexConfig(src, "", hcl.InitialPos)
	return &hiding{tokens: tokens, at: []*block{wholeFile}}
}

// broken tells whether the tokens may be other ones than were meant.
func (h *hiding) broken() bool {
	return slices.ContainsFunc(h.tokens, func(t hclsyntax.Token) bool {
		switch t.Type {
		case hclsyntax.TokenInvalid, hclsyntax.TokenBadUTF8, hclsyntax.TokenQuotedNewline:
			return true
		}
		return false
	})
}

// lostTexts returns what stands where neither a key nor a value does, as a label.
func lostTexts(src []byte) (texts []string) {
	h := hidingIn(src)
	for i, t := range h.tokens {
		if h.hides(i) && h.lost && (t.Type == hclsyntax.TokenQuotedLit || t.Type == hclsyntax.TokenIdent) {
			texts = append(texts, string(t.Bytes))
		}
	}
	return texts
}

// hides tells whether the next token is a literal that is not shown.
func (h *hiding) hides(i int) bool {
	t := h.tokens[i]
	first := !h.within
	h.within = true
	switch t.Type {
	case hclsyntax.TokenNewline, hclsyntax.TokenComment:
		h.within, h.hidden = h.depth > 0, h.hidden && h.depth > 0
		return false
	case hclsyntax.TokenOBrace, hclsyntax.TokenCBrace:
		h.braces(i)
		return false
	case hclsyntax.TokenOBrack, hclsyntax.TokenOParen:
		h.depth++
	case hclsyntax.TokenCBrack, hclsyntax.TokenCParen:
		h.depth = max(0, h.depth-1)
	}
	isName := t.Type == hclsyntax.TokenIdent || t.Type == hclsyntax.TokenQuotedLit
	switch {
	case isName && h.key(i):
		return h.begins(string(t.Bytes), t.Type)
	case first && h.depth <= 1 && !h.keyAhead(i): // no key, so nobody knows what follows
		h.hidden, h.lost, h.opener = true, true, ""
		if t.Type == hclsyntax.TokenIdent {
			return h.opens(i)
		}
	}
	return literal(t.Type) && !isArgument(h.tokens, i) && (h.hidden || !h.harmless(t))
}

// begins goes on behind the name of a key, and tells whether that is hidden.
func (h *hiding) begins(key string, as hclsyntax.TokenType) bool {
	in := h.at[len(h.at)-1]
	after := h.hidden && (h.depth > 0 || h.lost) // what may be a value already
	h.hidden, h.lost = !in.shows(key) || after, false
	h.address, h.only, h.opener = slices.Contains(addressKeys, key), slices.Contains(switchKeys, key), ""
	return h.hidden && as == hclsyntax.TokenQuotedLit && !wholeFile.knows(key)
}

// opens goes on behind what may be the name of a block, and tells whether that is hidden.
func (h *hiding) opens(i int) bool {
	h.opener = string(h.tokens[i].Bytes)
	opens := i+1 < len(h.tokens) && h.tokens[i+1].Type == hclsyntax.TokenOBrace
	return !opens && !wholeFile.knows(h.opener)
}

// braces goes into a block or an object, or out of it.
func (h *hiding) braces(i int) {
	if h.tokens[i].Type == hclsyntax.TokenCBrace {
		h.at = h.at[:max(1, len(h.at)-1)]
	} else {
		var in *block // of an object, or a block with a label, nothing is known
		if i > 0 && h.opener != "" && string(h.tokens[i-1].Bytes) == h.opener {
			in = h.at[len(h.at)-1].in(h.opener)
		}
		h.lost = h.lost && in == nil // else a line begins
		h.at = append(h.at, in)
	}
	h.within, h.opener = h.depth > 0, ""
}

// harmless tells whether a literal behind a key that is shown has nothing to hide.
func (h *hiding) harmless(t hclsyntax.Token) bool {
	switch text := string(t.Bytes); {
	case t.Type == hclsyntax.TokenStringLit: // of a heredoc, which may have swallowed what follows
		return false
	case t.Type == hclsyntax.TokenIdent:
		return text == "true" || text == "false" || text == "null"
	case h.only:
		return t.Type == hclsyntax.TokenNumberLit
	case h.address && t.Type != hclsyntax.TokenNumberLit:
		return plainAddress.MatchString(strings.TrimSpace(text))
	}
	return true
}

// key tells whether a token is followed by an equals sign, or by the colon of an object.
func (h *hiding) key(i int) bool {
	next := i + 1
	if h.tokens[i].Type == hclsyntax.TokenQuotedLit {
		next++ // the quotation mark
	}
	return next < len(h.tokens) &&
		(h.tokens[next].Type == hclsyntax.TokenEqual || h.tokens[next].Type == hclsyntax.TokenColon)
}

// keyAhead tells whether a token is the quotation mark before a key.
func (h *hiding) keyAhead(i int) bool {
	return h.tokens[i].Type == hclsyntax.TokenOQuote && i+1 < len(h.tokens) &&
		h.tokens[i+1].Type == hclsyntax.TokenQuotedLit && h.key(i+1)
}

// blankLines shows of a file whose tokens cannot be trusted only lines that are plain:
// the beginning and the end of a block, and a key with a harmless value, where the schema
// has it.
func blankLines(src, out []byte) {
	at, from := []*block{wholeFile}, 0
	for line := range bytes.Lines(src) {
		to := from + len(line)
		if m := blockLine.FindSubmatch(line); m != nil {
			at = append(at, at[len(at)-1].in(string(m[1])))
		} else if bytes.HasPrefix(bytes.TrimSpace(line), []byte("}")) {
			at = at[:max(1, len(at)-1)]
			blank(out[from+bytes.IndexByte(line, '}')+1 : to])
		} else if !plain(line, at[len(at)-1]) {
			blankValue(line, out[from:to])
		}
		from = to
	}
}

// plain tells whether a line of a block is a key that is shown with a harmless value.
func plain(line []byte, in *block) bool {
	m := plainLine.FindSubmatch(line)
	if m == nil || !in.shows(string(m[1])) {
		return false
	}
	if slices.Contains(switchKeys, string(m[1])) {
		return len(m[5]) > 0
	}
	return !slices.Contains(addressKeys, string(m[1])) || plainAddress.Match(slices.Concat(m[2:]...))
}

// blankValue blanks a line but for the name of a key.
func blankValue(line, out []byte) {
	from := 0
	if at := nameLine.FindIndex(line); at != nil {
		from = at[1]
	}
	blank(out[from:])
}

var (
	blockLine = regexp.MustCompile(`^[ \t]*([A-Za-z_][\w-]*)[ \t]*\{[ \t\r]*\n?$`)
	plainLine = regexp.MustCompile(`^[ \t]*([A-Za-z_][\w-]*)[ \t]*=[ \t]*(?:\[[ \t]*"([^"\n]*)"[ \t]*\]|"([^"\n]*)"|` +
		`"([^"#\s]*)|(true|false|null|[0-9]+))\s*$`)
	nameLine = regexp.MustCompile(`^[ \t]*[A-Za-z_][\w-]*[ \t]*=[ \t]*`)
)

// secretPieces returns where literal secrets begin and end, without the quotation
// marks and brackets around them, by lines alone.
func secretPieces(src []byte) [][2]int { return pieces(src, secretLine) }

// hiddenPieces returns the same, and where what is under an unknown key begins and ends.
func hiddenPieces(src []byte) [][2]int {
	all := secretPieces(src)
	for _, at := range anyKeyLine.FindAllSubmatchIndex(src, -1) {
		if key := string(bytes.Trim(src[at[2]:at[3]], `"`)); slices.Contains(secretKeys, key) || !wholeFile.knows(key) {
			for _, piece := range pieces(src[at[4]:at[5]], wholeLine) {
				all = append(all, [2]int{at[4] + piece[0], at[4] + piece[1]})
			}
		}
	}
	return all
}

// pieces returns what is between quotation marks and brackets in the last group of
// what a pattern finds.
func pieces(src []byte, found *regexp.Regexp) (all [][2]int) {
	for _, at := range found.FindAllSubmatchIndex(src, -1) {
		from, to := at[2], at[3]
		if readsSecret.Match(src[from:to]) {
			continue
		}
		for _, piece := range betweenQuotes.FindAllIndex(src[from:to], -1) {
			all = append(all, [2]int{from + piece[0], from + piece[1]})
		}
	}
	return all
}

// leastSecret is how many octets a secret has that is taken out of a text: a shorter
// one would take words apart.
const leastSecret = 4

// scrub takes literal secrets, and what functions read, out of a text about a source.
// It is the second lock: what does not parse may be taken for anything, a secret for the
// name of a block; and a value that is no good may be told.
func scrub(text string, src []byte, read []string) string {
	for _, piece := range secretPieces(src) {
		read = append(read, string(src[piece[0]:piece[1]]))
	}
	for _, secret := range read {
		if len(secret) >= leastSecret {
			text = strings.ReplaceAll(text, secret, "****")
		}
	}
	return text
}

// userinfo finds what stands before the host of a URL.
var userinfo = regexp.MustCompile(`://[^\s"]*@`)

// withoutUserinfo takes names and passwords out of URLs.
func withoutUserinfo(text string) string { return userinfo.ReplaceAllString(text, "://****@") }

// betweenQuotes finds what is neither a quotation mark nor a bracket or blank beside one.
var betweenQuotes = regexp.MustCompile(`[^"\[\]{}(), \t\r](?:[^"]*[^"\[\]{}(), \t\r])?`)

// readsSecret finds what stands in a secret's place and is none: a function that
// reads it, and the beginning of a heredoc.
var readsSecret = regexp.MustCompile(`^(?:(?:credential|file|env)[ \t]*\(|<<)`)

// secretLine finds what stands behind a secret key and its equals sign, up to the
// end of the line.
var secretLine = regexp.MustCompile(`(?m)\b(?:` + strings.Join(secretKeys, "|") + `)[ \t]*=[ \t]*([^ \t\n].*)$`)

// anyKeyLine finds a key at the beginning of a line or a block, and what stands behind it.
var anyKeyLine = regexp.MustCompile(`(?m)(?:^|\{)[ \t]*([A-Za-z_][\w-]*|"[\w -]+")[ \t]*[=:][ \t]*([^ \t\n].*)$`)

// wholeLine is all of what it is given.
var wholeLine = regexp.MustCompile(`(?s)^(.*)$`)

// WithoutSecrets returns the file at path, whether it is right or not: the values of
// secret keys, and of keys that are none, are stars, URLs have no userinfo, and there are
// no comments, which may say anything.
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
	return []byte(withoutUserinfo(string(out))), nil
}

func literal(t hclsyntax.TokenType) bool {
	switch t {
	case hclsyntax.TokenQuotedLit, hclsyntax.TokenStringLit, hclsyntax.TokenNumberLit, hclsyntax.TokenInvalid,
		hclsyntax.TokenBadUTF8, hclsyntax.TokenIdent, hclsyntax.TokenQuotedNewline:
		return true
	}
	return false
}

// isArgument tells whether the token is a function, or the quoted argument of one that
// reads like what the function takes: a secret may stand in its place.
func isArgument(tokens hclsyntax.Tokens, i int) bool {
	function := func(j int) string {
		if j < 0 || tokens[j].Type != hclsyntax.TokenIdent || functionNames[string(tokens[j].Bytes)] == nil {
			return ""
		}
		return string(tokens[j].Bytes)
	}
	if function(i) != "" {
		return true
	}
	if i < 3 || tokens[i-1].Type != hclsyntax.TokenOQuote || tokens[i-2].Type != hclsyntax.TokenOParen {
		return false
	}
	name := function(i - 3)
	return name != "" && functionNames[name].Match(tokens[i].Bytes)
}

// functionNames says by function what its argument reads like.
var functionNames = map[string]*regexp.Regexp{
	"credential": regexp.MustCompile(`^[a-z./\\_-]*$`),
	"env":        regexp.MustCompile(`^[A-Z_][A-Z0-9_]*$|^$`),
	"file":       regexp.MustCompile(`^[a-z._-]*$|^(/|\.{1,2}[/\\]|[A-Za-z]:[/\\]|\\\\)[\w./\\ :-]*$`),
}

func blank(b []byte) {
	for i, c := range b {
		if c != '\n' && c != '\r' {
			b[i] = '*'
		}
	}
}
