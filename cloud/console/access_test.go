package console_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"ldap-gateway/cloud/console"
	"ldap-gateway/cloud/console/axetest"
	"ldap-gateway/cloud/handbook"
	"ldap-gateway/cloud/store"
)

// appearance has a window look as at night, or by day.
func appearance(scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{
			Name:  "prefers-color-scheme",
			Value: scheme,
		}}})
		return err
	})
}

// Every page is such as people with a screen reader, a keyboard or weak eyes can
// use it, by day and at night.
func TestEveryPageIsAccessible(t *testing.T) {
	s := open(t)
	f := s.fill(s.env.ID, "")
	s.connect(f, "")
	s.must(s.store.SetRoleGroup(t.Context(), store.RoleGroup{
		EnvironmentID: s.env.ID,
		GroupID:       f.jit.ID,
		Role:          store.RoleReadOnly,
	}))
	s.must(s.store.SeeAlerts(t.Context(), s.env.ID, s.clock(), time.Hour, []store.Alert{{
		Key:    "k",
		Code:   "noInstance",
		Text:   "No instance",
		Remedy: "Look",
	}}))
	s.admin()
	w := s.open(func(context.Context, *chromedp.Target) error { return nil })
	var cancel func()
	w.ctx, cancel = context.WithTimeout(context.WithoutCancel(w.ctx), 10*time.Minute)
	t.Cleanup(cancel)
	openPages, closed := console.Routes()
	look := func(pattern string) {
		method, path := f.at(pattern)
		if method != "GET" || strings.HasSuffix(path, ".png") || strings.HasPrefix(path, "/console/activity/") ||
			strings.Contains(path, "organisation") || strings.HasSuffix(path, "/export") {
			return
		}
		w.looksAt(t, path)
	}
	for _, p := range openPages {
		look(p)
	}
	w.at("/console/sign-in").fill("name", "admin").fill("password", password).press("form button")
	for _, p := range closed {
		look(p)
	}
	for _, p := range handbook.Pages() {
		w.looksAt(t, "/console/help/"+p.Name)
	}
	if errors.Is(w.ctx.Err(), context.DeadlineExceeded) {
		t.Error("not all pages were seen")
	}
}

// looksAt looks at a page by day and at night, on a telephone and on a wide screen.
func (w *window) looksAt(t *testing.T, path string) {
	t.Helper()
	w.at(path)
	for _, width := range []int64{390, 1440} {
		w.must(chromedp.Do(w.ctx, chromedp.EmulateViewport(width, 800)))
		for _, scheme := range []string{"light", "dark"} {
			w.must(chromedp.Do(w.ctx, appearance(scheme)))
			axetest.Look(w.ctx, t, fmt.Sprintf("%d %s %s", width, scheme, path))
		}
		over, err := chromedp.Run(w.ctx, chromedp.Evaluate[int](`document.documentElement.scrollWidth - window.innerWidth`))
		if err != nil || over > 0 {
			t.Errorf("%s runs %d pixels over the edge at %d, %v", path, over, width, err)
		}
	}
}
