package cloud

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// Who types the name of the cloud alone gets a page for people, and not the administrators' sign-in.
func TestFirstPageIsForPeople(t *testing.T) {
	s := startSiege(t)
	resp, err := http.Get(s.url + "/")
	must(t, err)
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	must(t, err)
	if resp.Request.URL.Path != "/" {
		t.Errorf("it leads to %s", resp.Request.URL)
	}
	for _, link := range []string{"/" + s.api.Environment + "/signon", "/console/"} {
		if !strings.Contains(string(page), `href="`+link+`"`) {
			t.Errorf("no link to %s:\n%s", link, page)
		}
	}
}
