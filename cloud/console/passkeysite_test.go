package console_test

import (
	"context"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// A passkey is offered at an address that it is kept for, to sign in and to make one; at another the page says
// where it works.
func TestBrowserOffersPasskeysWhereTheyWork(t *testing.T) {
	s := open(t)
	s.admin()
	w := s.open(func(context.Context, *chromedp.Target) error { return nil })
	const elsewhere = "Passkeys work where this console is opened by localhost, and not at the address of this page."
	address := s.url
	for _, at := range []string{strings.Replace(address, "127.0.0.1", "localhost", 1), address} {
		s.url = at
		for _, page := range []string{"/console/sign-in", "/console/account"} {
			if w.at(page); page == "/console/account" {
				w.fill("name", "admin").fill("password", password).press("form button")
			}
			offered, err := chromedp.Run(w.ctx, chromedp.Evaluate[bool](`!document.querySelector("[data-passkey]").closest("[hidden]")`))
			s.must(err)
			text, err := chromedp.Run(w.ctx, chromedp.Text(chromedp.CSS("body")))
			s.must(err)
			if there := at != address; offered != there || strings.Contains(text, elsewhere) == there {
				t.Errorf("%s%s: offered %t\n%s", at, page, offered, text)
			}
		}
	}
}
