package signonpage

import (
	"strings"
	"testing"
)

// TestPasskeysAreOfferedWhereTheyWork: a browser at an origin that they are kept for is offered one, to make and to
// show. Another is not, and is told where they work; and where they work nowhere, so is who has one, and what else
// there is stays.
func TestPasskeysAreOfferedWhereTheyWork(t *testing.T) {
	s := start(t)
	s.asksFactor(true)
	local := strings.Replace(s.url, "127.0.0.1", "localhost", 1)
	w := openWindow(t)
	w.key()
	signOn := func(at string) {
		t.Helper()
		w.at(at + "/" + s.env + "/signon?anew=1")
		w.fill("username", "alice")
		w.fill("password", "x")
		w.press("form button")
	}
	signOn(s.url) // by an IP address
	w.sees("Set up a second factor")
	w.sees("Passkeys work at localhost, and not at the address of this page.")
	w.is(`document.querySelector("[data-needs-passkey]").hidden`)
	signOn(local)
	w.sees("Set up a second factor")
	w.press(`form[data-passkey=create] button`)
	w.sees("Your recovery codes")
	w.press("form button")
	signOn(s.url)
	w.sees("Passkeys work at localhost, and not at the address of this page.")
	w.sees("Use a recovery code instead")
	w.is(`document.querySelector("form[data-passkey=get]").hidden`)
	signOn(local)
	w.sees("One more step")
	w.is(`!document.querySelector("form[data-passkey=get]").hidden`)

	for _, urls := range [][]string{{"https://192.0.2.1"}, {"http://id.example.com"}, nil} {
		s.proofs.URLs = urls
		signOn(local)
		w.sees("Your passkey cannot be used: browsers show passkeys to sites that have a name and TLS")
		w.sees("Use a recovery code instead")
		w.is(`!document.querySelector("form[data-passkey]")`)
	}
	check(t, s.db.DeletePersonPasskey(t.Context(), s.env, s.alice.ID, s.have().Passkeys[0].ID))
	signOn(local)
	w.sees("With an authenticator app")
	w.is(`!document.querySelector("form[data-passkey]")`)
}
