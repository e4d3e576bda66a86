package clienttest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// Chromium starts a browser with the cookies that it has by default; scripts says whether it runs
// any. It ends with the test, and what is asked of it within a minute.
func Chromium(t *testing.T, scripts bool) context.Context {
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
	// This starts it, which a deadline must not end.
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(1280, 900)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel = context.WithTimeout(ctx, time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// Whole waits until a page is there as a whole, to its end, that has an element. Until then the
// browser gives the elements other names, and what is clicked is known no more.
func Whole(ctx context.Context, t *testing.T, css string) {
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
