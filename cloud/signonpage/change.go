package signonpage

import (
	"net/http"

	"ldap-gateway/cloud/store"
)

// ChangePath is where password managers look for the page that changes a password
// (W3C, A Well-Known URL for Changing Passwords); it leads there, of an environment or of
// the only one.
const ChangePath = "/.well-known/change-password"

// toChange leads to the page that changes a password.
func (k *call) toChange() error {
	http.Redirect(k.w, k.Request, "/"+k.env.ID+"/signon/password", http.StatusFound)
	return nil
}

// changeAnywhere is toChange of the environment in which somebody is signed on in this browser, or of
// the only one that there is.
func (s *Server) changeAnywhere(w http.ResponseWriter, r *http.Request) {
	all, err := s.Store.Environments(r.Context())
	to := ""
	for _, env := range all {
		if _, ok := s.Sessions.Person(r.Context(), env.ID); ok || len(all) == 1 {
			to = env.ID
			break
		}
	}
	if err != nil {
		s.answerError(w, r, err)
		return
	}
	if to == "" { // which of them is asked there
		http.Redirect(w, r, "/", http.StatusFound)
		return
	}
	http.Redirect(w, r, "/"+to+"/signon/password", http.StatusFound)
}

// showChange offers to change the password of who is signed on; who is not signs on first.
func (k *call) showChange() error {
	by, ok, err := k.owner()
	if err != nil {
		return err
	}
	if ok {
		return k.offerChange(by)
	}
	http.Redirect(k.w, k.Request, "/"+k.env.ID+"/signon?then="+thenPassword, http.StatusSeeOther)
	return nil
}

// offerChange shows the form, or that the password is changed elsewhere.
func (k *call) offerChange(by store.SignedOn) error {
	u, err := k.Store.User(k.Context(), k.env.ID, by.UserID)
	if err != nil {
		return err
	}
	may, err := k.mayChange(u)
	if err != nil {
		return err
	}
	if !may {
		return k.render(http.StatusOK, "elsewhere.html", "Change your password", nil)
	}
	form := passwordForm{Username: u.Username, Why: "Choose a new password."}
	if form.Code, err = k.wantsCode(k.toldOf(by, u)); err != nil {
		return err
	}
	return k.renderChange(http.StatusOK, form)
}
