package demo

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"ldap-gateway/cloud/console/axetest"
)

// TestApplicationIsAccessible: its pages are such as everybody can use them, by day and at night.
func TestApplicationIsAccessible(t *testing.T) {
	shown := map[string]*person{"/": nil, "/in": {Name: "Alice", Groups: []group{{Name: "backend", Source: "LDAP_GATEWAY"}}}, "/none": {Name: "B"}}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_ = page.Execute(w, shown[r.URL.Path])
	}))
	t.Cleanup(srv.Close)
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath("/usr/bin/chromium"), chromedp.NoSandbox,
		chromedp.Flag("no-proxy-server", true))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, time.Minute)
	t.Cleanup(cancel)
	for path := range shown {
		for _, scheme := range []string{"light", "dark"} {
			dress := chromedp.Func(func(ctx context.Context, to *chromedp.Target) error {
				_, err := cdp.Call(ctx, to, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
					Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
				})
				return err
			})
			if err := chromedp.Do(ctx, chromedp.Navigate(srv.URL+path), dress); err != nil {
				t.Fatal(err)
			}
			axetest.Look(ctx, t, scheme+" "+path)
		}
	}
}
