package e2e

import (
	"fmt"
	"regexp"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/pquerna/otp/totp"
)

// asksFactor makes a sign-on policy with a second factor, over the API, and gives it to an application.
func (a *application) asksFactor() {
	a.t.Helper()
	var policy struct{ ID string }
	a.must("POST", "/signOnPolicies", map[string]any{"name": "Twice"}, &policy)
	for i, kind := range []string{"LOGIN", "MULTI_FACTOR_AUTHENTICATION"} {
		a.must("POST", "/signOnPolicies/"+policy.ID+"/actions", map[string]any{"type": kind, "priority": i + 1}, nil)
	}
	a.must("POST", "/applications/"+a.id+"/signOnPolicyAssignments",
		map[string]any{"signOnPolicy": map[string]any{"id": policy.ID}, "priority": 1}, nil)
}

// gives types a one-time password of a secret into a page and goes on; text is on the next.
func (w *window) gives(secret, text string) string {
	w.t.Helper()
	code, err := totp.GenerateCode(secret, time.Now())
	must(w.t, err)
	must(w.t, chromedp.Do(w.ctx, chromedp.SendKeys(chromedp.ID("code"), code), chromedp.Click(chromedp.CSS("form:not([data-passkey]) button"))))
	return w.await(text)
}

// TestSecondFactorOfAnApplication: with the password of a directory, a person signs on to an application that asks
// for no more; to another, which does, once a telephone is set up; and where another browser has the password
// alone, it reaches the first and not the second. An administrator takes the factor away.
func TestSecondFactorOfAnApplication(t *testing.T) {
	w := newWorld(t, plan{})
	wiki, payroll := w.application("Wiki", nil), w.application("Payroll", nil)
	payroll.asksFactor()
	browser := browse(t, nil)
	browser.at(wiki.url)
	if l := learns(t, browser.signOn("alice", "wonderland", "sub")); fmt.Sprint(l.AMR) != "[pwd]" {
		t.Errorf("%+v", l)
	}
	page := browser.at(payroll.url)
	m := regexp.MustCompile(`key: ([A-Z2-7]{32})`).FindStringSubmatch(page)
	if m == nil {
		t.Fatal(page)
	}
	browser.gives(m[1], "Your recovery codes")
	must(t, chromedp.Do(browser.ctx, chromedp.Click(chromedp.CSS("form button"))))
	l := learns(t, browser.await("sub"))
	if fmt.Sprint(l.AMR) != "[pwd otp mfa]" || l.Name != "alice" {
		t.Errorf("%+v", l)
	}
	if again := learns(t, browser.at(payroll.url)); again.Subject != l.Subject {
		t.Errorf("the second visit: %+v", again)
	}

	thief := browse(t, nil)
	thief.at(payroll.url)
	thief.signOn("alice", "wonderland", "One more step")
	thief.at(w.url + "/" + w.api.Environment + "/signon")
	thief.await("Password")
	thief.at(wiki.url)
	thief.signOn("alice", "wonderland", "sub")
	thief.at(payroll.url)
	thief.await("One more step")

	w.must("DELETE", "/users/"+l.Subject+"/secondFactor", nil, nil)
	thief.at(wiki.url)
	thief.await("Password") // everybody is signed off by it
}
