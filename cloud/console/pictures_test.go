package console_test

import (
	"bytes"
	"context"
	"flag"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"ldap-gateway/cloud/handbook"
)

var update = flag.Bool("update", false, "take the pictures of the handbook anew")

// pictures are where those of the handbook are, with the words that their pages had.
const pictures = "../handbook/pages/pictures/"

// told is what differs from one run to the next: IDs, times and other numbers.
var told = regexp.MustCompile(`[0-9]+:[0-9]+ [AP]M|(just|right) now|[0-9a-z]+ (second|minute|hour|day)s? ago|` +
	`[0-9a-f]{8}-[0-9a-f-]{27}|[0-9A-F:]{20,}|[0-9]+[a-z0-9]*`)

// TestPictures takes the handbook's pictures, or sees that they are of pages with the words of now:
// "go test ./cloud/console -run TestPictures -update" takes them anew.
func TestPictures(t *testing.T) {
	s := open(t)
	f := s.fill(s.env.ID, "")
	s.connect(f, "")
	s.admin()
	w := s.open(func(context.Context, *chromedp.Target) error { return nil })
	var cancel func()
	w.ctx, cancel = context.WithTimeout(context.WithoutCancel(w.ctx), 2*time.Minute)
	t.Cleanup(cancel)
	w.must(chromedp.Do(w.ctx, chromedp.EmulateViewport(1280, 1200)))
	w.at("/console/sign-in").fill("name", "admin").fill("password", password).press("form button")
	w.must(chromedp.Do(w.ctx, appearance("light")))
	for name, path := range map[string]string{
		"overview": "/console",
		"gateway":  "/console/gateways/" + f.gateway.ID,
		"user":     "/console/users/" + f.user.ID,
	} {
		w.at(path)
		words, err := chromedp.Run(w.ctx, chromedp.Evaluate[string](`document.querySelector("main").innerText`))
		s.must(err)
		words = strings.Join(strings.Fields(told.ReplaceAllString(words, "#")), " ") + "\n"
		if *update {
			picture, err := chromedp.Run(w.ctx, chromedp.CaptureScreenshot())
			s.must(err)
			s.must(os.WriteFile(pictures+name+".png", picture, 0o644))
			s.must(os.WriteFile(pictures+name+".txt", []byte(words), 0o644))
		}
		then, err := os.ReadFile(pictures + name + ".txt")
		if err != nil || string(then) != words {
			t.Errorf("the page of picture %s has other words now: take it anew with -update (%v)\n%s%s", name, err, then, words)
		}
		if *update {
			continue // those that are built in are the ones before
		}
		picture, _ := handbook.Picture(name + ".png")
		if image, err := png.DecodeConfig(bytes.NewReader(picture)); err != nil || image.Width != 1280 {
			t.Errorf("%s is no picture of that width: %v", name, err)
		}
		if a := s.visitor().get("/console/help/pictures/" + name + ".png"); a.status != 200 {
			t.Errorf("%s: %d", name, a.status)
		}
	}
}

// TestPicturesAreThere: every picture that a page of the handbook shows is there, says in words what is
// to be seen, is small, and none is there that no page shows.
func TestPicturesAreThere(t *testing.T) {
	shown := map[string]bool{}
	image := regexp.MustCompile(`!\[([^\]]*)\]\(([^)]*)\)`)
	for _, p := range handbook.Pages() {
		source, _ := handbook.Source(p.Name)
		for _, m := range image.FindAllStringSubmatch(source, -1) {
			name, is := strings.CutPrefix(m[2], "pictures/")
			b, ok := handbook.Picture(name)
			if shown[name] = true; !is || !ok || len(b) > 200<<10 || len(m[1]) < 20 {
				t.Errorf("%s shows %s (%q): %t, %d bytes", p.Name, m[2], m[1], ok, len(b))
			}
			if page, _ := handbook.HTML(p.Name, "/help/"); !strings.Contains(string(page), `src="/help/pictures/`+name+`"`) {
				t.Errorf("%s does not show %s", p.Name, name)
			}
		}
	}
	files, err := filepath.Glob(pictures + "*.png")
	if err != nil || len(files) != len(shown) || len(files) == 0 {
		t.Errorf("%d pictures, %d shown, %v", len(files), len(shown), err)
	}
	for _, odd := range []string{"", "../concepts.md", "none.png", "..", "overview.txt"} {
		if _, ok := handbook.Picture(odd); ok {
			t.Errorf("there is a picture %q", odd)
		}
	}
}
