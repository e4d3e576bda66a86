package configs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// Limits of gateway.hcl and of what it names. They are far above what is real: a
// file that is generated wrongly must not hold the service up, or end it.
const (
	mostFile   = 1 << 20 // bytes, of gateway.hcl and of each file that it names
	mostTokens = 100_000
	mostDepth  = 32 // brackets within brackets
)

// fileTime is how long a file may take to be read: a network file system that hangs
// must not hang the service.
const fileTime = 10 * time.Second

var errNotRegular = errors.New("not a regular file")

// readFile reads a regular file of at most mostFile bytes, within fileTime.
func readFile(path string) ([]byte, error) {
	type read struct {
		b   []byte
		err error
	}
	done := make(chan read, 1)
	go func() {
		b, err := readRegular(path)
		done <- read{b, err}
	}()
	limit := time.NewTimer(fileTime)
	defer limit.Stop()
	select {
	case r := <-done:
		return r.b, r.err
	case <-limit.C:
		return nil, fmt.Errorf("%s: not read within %s: is its file system there?", path, fileTime)
	}
}

// readRegular looks what a file is before it is opened: opening a pipe waits.
func readRegular(path string) ([]byte, error) {
	info, err := os.Stat(path)
	var failed *fs.PathError
	if errors.As(err, &failed) {
		failed.Op = "open" // what was meant
	}
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: %w", path, errNotRegular)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, mostFile+1))
	if err == nil && len(b) > mostFile {
		err = fmt.Errorf("%s: larger than %d bytes", path, mostFile)
	}
	return b, err
}

// shape returns what is wrong with a source before it is parsed: parsing goes as
// deep as its brackets, and a "for" within a "for" takes as long as it likes.
func shape(src []byte, name string) hcl.Diagnostics {
	if len(src) > mostFile {
		return tooMuch(hcl.Range{
			Filename: name,
			Start:    hcl.InitialPos,
			End:      hcl.InitialPos,
		}, fmt.Sprintf("The file has more than %d bytes.", mostFile))
	}
	tokens, _ := hclsyntax.LexConfig(src, name, hcl.InitialPos)
	if len(tokens) > mostTokens {
		return tooMuch(tokens[mostTokens].Range, fmt.Sprintf("The file has more than %d words and signs.", mostTokens))
	}
	depth, operators := 0, 0
	for i, t := range tokens {
		depth += nesting(t.Type)
		operators = inARow(operators, t.Type)
		switch {
		case depth > mostDepth || operators > mostDepth:
			return tooMuch(t.Range, fmt.Sprintf("Brackets and operators may stand %d deep.", mostDepth))
		case t.Type == hclsyntax.TokenNumberLit && !plainNumber.Match(t.Bytes):
			return tooMuch(t.Range, "Numbers have 18 digits at most, and no exponent.")
		case isFor(tokens, i):
			return tooMuch(t.Range, "There is no \"for\" in gateway.hcl: write the list out.")
		}
	}
	return nil
}

// plainNumber is one that takes no memory to speak of, whatever is made of it.
var plainNumber = regexp.MustCompile(`^[0-9]{1,18}(\.[0-9]{1,18})?$`)

func tooMuch(at hcl.Range, detail string) hcl.Diagnostics {
	return hcl.Diagnostics{
		{Severity: hcl.DiagError, Summary: "More than gateway.hcl may have", Detail: detail, Subject: &at},
	}
}

// nesting is how much deeper it gets with a token.
func nesting(t hclsyntax.TokenType) int {
	switch t {
	case hclsyntax.TokenOParen,
		hclsyntax.TokenOBrack,
		hclsyntax.TokenOBrace,
		hclsyntax.TokenTemplateInterp,
		hclsyntax.TokenTemplateControl:
		return 1
	case hclsyntax.TokenCParen, hclsyntax.TokenCBrack, hclsyntax.TokenCBrace, hclsyntax.TokenTemplateSeqEnd:
		return -1
	}
	return 0
}

// inARow counts the operators of one expression, which are parsed one in the other.
func inARow(operators int, t hclsyntax.TokenType) int {
	switch t {
	case hclsyntax.TokenMinus, hclsyntax.TokenBang, hclsyntax.TokenQuestion:
		return operators + 1
	case hclsyntax.TokenNewline, hclsyntax.TokenComma:
		return 0
	}
	return operators
}

// isFor tells whether a "for" expression or directive stands at a token.
func isFor(tokens hclsyntax.Tokens, i int) bool {
	if tokens[i].Type != hclsyntax.TokenIdent || string(tokens[i].Bytes) != "for" {
		return false
	}
	for i--; i >= 0; i-- {
		switch tokens[i].Type {
		case hclsyntax.TokenNewline, hclsyntax.TokenComment:
			continue
		case hclsyntax.TokenOBrack, hclsyntax.TokenTemplateControl:
			return true
		case hclsyntax.TokenOBrace:
			return i > 0 && tokens[i-1].Type != hclsyntax.TokenIdent && tokens[i-1].Type != hclsyntax.TokenCQuote // else a block
		}
		return false
	}
	return false
}
