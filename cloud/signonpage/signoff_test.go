package signonpage

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"ldap-gateway/cloud/kerberos"
)

// Who is signed off everywhere has no session that began before, on whatever browser,
// and may begin another.
func TestSignedOffEverywhere(t *testing.T) {
	s := start(t)
	sessions := NewSessions(s.db, false)
	begin := func() *http.Cookie {
		w := httptest.NewRecorder()
		sessions.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			so, err := tickets{s}.SignOn(r.Context(), kerberos.Request{EnvironmentID: s.env})
			check(t, err)
			_, err = sessions.begin(r.Context(), so.SignOn)
			check(t, err)
		})).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		return w.Result().Cookies()[0]
	}
	signedOn := func(c *http.Cookie) bool {
		r := httptest.NewRequest("GET", "/", nil)
		r.AddCookie(c)
		_, ok, err := sessions.PersonOf(r, s.env)
		check(t, err)
		return ok
	}
	one, two := begin(), begin()
	if !signedOn(one) || !signedOn(two) {
		t.Fatal("no session")
	}
	check(t, s.db.SignOffUser(t.Context(), s.env, s.alice.ID))
	if signedOn(one) || signedOn(two) {
		t.Error("a session goes on")
	}
	if !signedOn(begin()) {
		t.Error("nobody can sign on again")
	}
}
