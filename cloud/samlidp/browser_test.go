package samlidp_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"ldap-gateway/cloud/oidc/clienttest"
)

// TestChromium goes the way of a person: by forms that are posted from one site to another,
// which scripts send by themselves, and without scripts a button.
func TestChromium(t *testing.T) {
	kind := clienttest.SAMLKinds()[0]
	for _, scripts := range []bool{true, false} {
		s := start(t)
		at := s.register(kind, "HTTP-POST")
		ctx := chromium(t, scripts)
		check(t, chromedp.Do(ctx, chromedp.Navigate(at.URL)))
		if !scripts {
			check(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS("form [type=submit]")))) // of the application's own page
		}
		whole(ctx, t, "input[name=username]")
		check(t, chromedp.Do(ctx,
			chromedp.SendKeys(chromedp.CSS("input[name=username]"), "alice"),
			chromedp.SendKeys(chromedp.CSS("input[type=password]"), "wonderland"),
			chromedp.Click(chromedp.CSS("form button")),
		))
		if !scripts {
			whole(ctx, t, "input[name=SAMLResponse]")
			check(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS("form:has(input[name=SAMLResponse]) button"))))
		}
		whole(ctx, t, "pre")
		text, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS("pre")))
		check(t, err)
		var learnt map[string]any
		if json.Unmarshal([]byte(text), &learnt) != nil || learnt["email"] != s.alice.Email || fmt.Sprint(learnt["groups"]) != "2" {
			t.Errorf("scripts: %v: %s", scripts, text)
		}
		if !scripts {
			continue
		}
		// The session counts, although the request comes by a form of another site.
		check(t, chromedp.Do(ctx, chromedp.Navigate("about:blank"), chromedp.Navigate(at.URL)))
		whole(ctx, t, "pre")
		if text, err = chromedp.Run(ctx, chromedp.Text(chromedp.CSS("pre"))); err != nil || !strings.Contains(text, s.alice.Email) {
			t.Errorf("the session does not count: %v %s", err, text)
		}
	}
}

// whole waits until a page is there as a whole, to its end, that has an element. Until then the
// browser gives the elements other names, and what is clicked is known no more.
func whole(ctx context.Context, t *testing.T, css string) {
	t.Helper()
	is := fmt.Sprintf("document.readyState === 'complete' && document.querySelector(%q) !== null", css)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if there, err := chromedp.Run(ctx, chromedp.Evaluate[bool](is)); err == nil && there {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("no page with %s", css)
		case <-tick.C:
		}
	}
}

// chromium starts a browser with the cookies that it has by default.
func chromium(t *testing.T, scripts bool) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath("/usr/bin/chromium"), chromedp.NoSandbox,
		chromedp.Flag("no-proxy-server", true))
	if !scripts {
		options = append(options, chromedp.Flag("blink-settings", "scriptEnabled=false"))
	}
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	check(t, chromedp.Do(ctx, chromedp.EmulateViewport(1280, 900))) // starts it, which a deadline must not end
	ctx, cancel = context.WithTimeout(ctx, time.Minute)
	t.Cleanup(cancel)
	return ctx
}
