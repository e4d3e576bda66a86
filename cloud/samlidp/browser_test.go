package samlidp_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

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
		ctx := clienttest.Chromium(t, scripts)
		check(t, chromedp.Do(ctx, chromedp.Navigate(at.URL)))
		if !scripts {
			check(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS("form [type=submit]")))) // of the application's own page
		}
		clienttest.Whole(ctx, t, "input[name=username]")
		check(t, chromedp.Do(ctx,
			chromedp.SendKeys(chromedp.CSS("input[name=username]"), "alice"),
			chromedp.SendKeys(chromedp.CSS("input[type=password]"), "wonderland"),
			chromedp.Click(chromedp.CSS("form button")),
		))
		if !scripts {
			clienttest.Whole(ctx, t, "input[name=SAMLResponse]")
			check(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS("form:has(input[name=SAMLResponse]) button"))))
		}
		clienttest.Whole(ctx, t, "pre")
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
		clienttest.Whole(ctx, t, "pre")
		if text, err = chromedp.Run(ctx, chromedp.Text(chromedp.CSS("pre"))); err != nil || !strings.Contains(text, s.alice.Email) {
			t.Errorf("the session does not count: %v %s", err, text)
		}
	}
}
