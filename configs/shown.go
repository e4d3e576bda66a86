package configs

import (
	"bytes"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// secretKeys are the attributes whose source is never shown.
var secretKeys = []string{"password", "proxy"}

// shownKeys are the attributes whose source is: those of the schema. What stands under
// another name may be a secret whose key is misspelt.
var shownKeys = keysOf(reflect.TypeFor[fileBody]())

// blockNames are what may begin a line besides.
var blockNames = blocksOf(reflect.TypeFor[fileBody]())

func keysOf(block reflect.Type) map[string]bool {
	keys := map[string]bool{}
	for f := range fieldsOf(block) {
		if name, kind, _ := strings.Cut(f.Tag.Get("hcl"), ","); kind != "block" {
			keys[name] = !slices.Contains(secretKeys, name)
		} else {
			maps.Copy(keys, keysOf(f.Type.Elem()))
		}
	}
	return keys
}

func blocksOf(block reflect.Type) map[string]bool {
	names := map[string]bool{}
	for f := range fieldsOf(block) {
		if name, kind, _ := strings.Cut(f.Tag.Get("hcl"), ","); kind == "block" {
			names[name] = true
			maps.Copy(names, blocksOf(f.Type.Elem()))
		}
	}
	return names
}

func fieldsOf(block reflect.Type) func(func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for i := range block.NumField() {
			if !yield(block.Field(i)) {
				return
			}
		}
	}
}

// blankSecrets returns the source with every literal replaced by stars that is not the
// value of an attribute which is shown. It works on tokens, so that it holds for a file
// that does not parse too: from a key to the end of its line, or of the brackets that
// are open there, a heredoc to its end. And it works on lines, since a quotation mark
// that is not closed makes other tokens of all that follows.
func blankSecrets(f *hcl.File) []byte {
	out := bytes.Clone(f.Bytes)
	tokens, _ := hclsyntax.LexConfig(f.Bytes, "", hcl.InitialPos)
	h := hiding{tokens: tokens}
	for i, t := range tokens {
		if h.hides(i) {
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
	tokens hclsyntax.Tokens
	hidden bool // literals, from here on
	lost   bool // hidden, and not as the value of a key
	within bool // a line
	depth  int  // of brackets
}

// lostTexts returns what stands between quotation marks where no value does, as a label.
func lostTexts(src []byte) (texts []string) {
	tokens, _ := hclsyntax.LexConfig(src, "", hcl.InitialPos)
	h := hiding{tokens: tokens}
	for i, t := range tokens {
		if h.hides(i) && h.lost && t.Type == hclsyntax.TokenQuotedLit {
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
	case hclsyntax.TokenNewline:
		h.within, h.hidden = h.depth > 0, h.hidden && h.depth > 0
	case hclsyntax.TokenOBrack, hclsyntax.TokenOParen:
		h.depth++
	case hclsyntax.TokenCBrack, hclsyntax.TokenCParen:
		h.depth = max(0, h.depth-1)
	case hclsyntax.TokenOQuote:
		if first && h.depth == 0 {
			h.hidden, h.lost = true, true
		}
	case hclsyntax.TokenOBrace, hclsyntax.TokenCBrace:
		h.within = h.depth > 0
	case hclsyntax.TokenIdent, hclsyntax.TokenQuotedLit:
		if h.key(i) {
			h.hidden, h.lost = !shownKeys[string(t.Bytes)] || h.hidden && h.depth > 0, false
			return false
		}
		if first && t.Type == hclsyntax.TokenIdent { // no key, so nobody knows what follows
			h.hidden, h.lost = true, true
			_, known := shownKeys[string(t.Bytes)]
			opens := i+1 < len(h.tokens) && h.tokens[i+1].Type == hclsyntax.TokenOBrace
			return !opens && !known && !blockNames[string(t.Bytes)]
		}
	}
	return h.hidden && literal(t.Type) && !isArgument(h.tokens, i)
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

// secretPieces returns where literal secrets begin and end, without the quotation
// marks and brackets around them, by lines alone.
func secretPieces(src []byte) [][2]int { return pieces(src, secretLine) }

// hiddenPieces returns the same, and where what is under an unknown key begins and ends.
func hiddenPieces(src []byte) [][2]int {
	all := secretPieces(src)
	for _, at := range anyKeyLine.FindAllSubmatchIndex(src, -1) {
		if line := src[at[2]:at[3]]; !shownKeys[string(bytes.Trim(line, `"`))] {
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

// isArgument tells whether the token is a function, or the quoted argument of one.
func isArgument(tokens hclsyntax.Tokens, i int) bool {
	name := func(j int) bool {
		return j >= 0 && tokens[j].Type == hclsyntax.TokenIdent &&
			slices.Contains([]string{"credential", "file", "env"}, string(tokens[j].Bytes))
	}
	return name(i) ||
		i >= 3 && tokens[i-1].Type == hclsyntax.TokenOQuote && tokens[i-2].Type == hclsyntax.TokenOParen && name(i-3)
}

func blank(b []byte) {
	for i, c := range b {
		if c != '\n' && c != '\r' {
			b[i] = '*'
		}
	}
}
