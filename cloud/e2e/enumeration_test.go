package e2e

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestNobodyIsEnumerated gives wrong passwords for people that there are and for
// others: the page is the same to the letter. How long both take is logged.
func TestNobodyIsEnumerated(t *testing.T) {
	const people = 20
	p := plan{policy: unlimited}
	p.slapd.LDIF = crowd(people)
	w := newWorld(t, p)
	v := w.visitor()
	took := map[string][]time.Duration{}
	pages := map[string]bool{}
	for i := range people {
		for _, name := range []string{"person", "nobody"} {
			start := time.Now()
			page := v.post("/"+w.api.Environment+"/signon", url.Values{
				"username": {fmt.Sprint(name, i)},
				"password": {"a guess"},
			})
			took[name] = append(took[name], time.Since(start))
			pages[strings.ReplaceAll(page, fmt.Sprint(name, i), "NAME")] = true
		}
	}
	if len(pages) != 1 {
		t.Errorf("%d different pages", len(pages))
	}
	for _, all := range took {
		slices.Sort(all)
	}
	known, unknown := took["person"][people/2], took["nobody"][people/2]
	t.Logf("medians: %s for a name that somebody has, %s for another, ratio %.3f", known, unknown, float64(known)/float64(unknown))
}
