package handbook

import (
	"bytes"
	"embed"
	"html/template"
	"path"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

//go:embed pages/*.md pages/pictures/*.png
var files embed.FS

// order is the pages as they are listed: names of files without their ending.
var order = [...]string{
	"concepts", "first-steps", "active-directory", "user-types", "groups", "applications", "identity-providers",
	"kerberos", "second-factor", "operating", "containers", "proxies", "troubleshooting", "migration", "gateway-hcl",
	"ldap-gateway", "ldap-cloud",
}

// Page is one page.
type Page struct{ Name, Title string }

// Pages lists them in the order in which they are best read.
func Pages() (all []Page) {
	for _, name := range order {
		source, _ := Source(name)
		first, _, _ := strings.Cut(source, "\n")
		all = append(all, Page{name, strings.TrimPrefix(first, "# ")})
	}
	return all
}

// Source returns a page as it is written; false when there is none of that name.
func Source(name string) (string, bool) {
	b, err := files.ReadFile(path.Join("pages", name+".md"))
	return string(b), err == nil
}

// Picture returns a picture of the pages, as a PNG; false when there is none of that name.
func Picture(name string) ([]byte, bool) {
	b, err := files.ReadFile(path.Join("pages/pictures", name))
	return b, err == nil && path.Base(name) == name
}

// HTML returns a page, with its title as the first heading and links to other pages
// and pictures below base; false when there is none of that name. HTML within a page is left out.
func HTML(name, base string) (template.HTML, bool) {
	source, ok := Source(name)
	if !ok {
		return "", false
	}
	md := goldmark.New(
		goldmark.WithExtensions(extension.Table),
		goldmark.WithParserOptions(
			parser.WithAutoHeadingID(),
			parser.WithASTTransformers(util.Prioritized(links(base), 1)),
		),
	)
	var out bytes.Buffer
	if err := md.Convert([]byte(source), &out); err != nil {
		panic(err) // it is a text of ours, and the buffer takes all
	}
	// Wide tables and examples scroll within the page, by the keyboard as well.
	wide := strings.NewReplacer("<table>", `<div class="scroll" tabindex="0"><table>`, "</table>", "</table></div>",
		"<pre>", `<pre tabindex="0">`)
	return template.HTML(wide.Replace(out.String())), true
}

// links has links to pages, and pictures, lead below itself.
type links string

// Transform implements parser.ASTTransformer.
func (base links) Transform(doc *ast.Document, _ text.Reader, _ parser.Context) {
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if picture, is := n.(*ast.Image); is && entering {
			picture.Destination = []byte(string(base) + string(picture.Destination))
		}
		l, ok := n.(*ast.Link)
		if !ok || !entering {
			return ast.WalkContinue, nil
		}
		if page, is := strings.CutSuffix(string(l.Destination), ".md"); is {
			l.Destination = []byte(string(base) + page)
		}
		return ast.WalkContinue, nil
	})
}
