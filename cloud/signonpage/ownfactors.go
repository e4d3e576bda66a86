package signonpage

import (
	"errors"
	"net/http"

	"ldap-gateway/cloud/applications"
	"ldap-gateway/cloud/store"
)

// factorsPage is what a person proves who they are by, beside the password.
type factorsPage struct {
	store.PersonFactors
	Wanted bool // they are asked for one whenever they sign on
}

// managing returns who may see and change their factors now: who has given one a moment ago, or has none and
// has signed on a moment ago. When it is false, the answer was given, and leads back here.
func (k *call) managing() (c candidate, ok bool, err error) {
	k.Form.Set("then", thenFactors)
	flow, c, ok, err := k.settingUp()
	if err != nil || !ok {
		return c, false, err
	}
	lacks, err := k.lacks(flow, c.SignedOn)
	if err == nil && (c.half || lacks) {
		return c, false, k.askFactor(flow)
	}
	return c, err == nil, err
}

// showFactors shows a person what they have.
func (k *call) showFactors() error {
	c, ok, err := k.managing()
	if err != nil || !ok {
		return err
	}
	r, err := k.rule(applications.Flow{})
	if err != nil {
		return err
	}
	page := factorsPage{c.have, c.user.Kept.MFA || r.Policy.AsksFactor()}
	return k.render(http.StatusOK, "factors.html", "Your second factor", page)
}

// changeFactors takes away what a form names, or makes recovery codes.
func (k *call) changeFactors() error {
	c, ok, err := k.managing()
	if err != nil || !ok {
		return err
	}
	switch k.PostForm.Get("do") {
	case "one-time":
		err = k.Factors.DropOneTime(k.Context(), k.who(c))
	case "passkey":
		err = k.Factors.DropPasskey(k.Context(), k.who(c), k.PostForm.Get("id"))
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) { // what is gone already is gone
		return err
	}
	http.Redirect(k.w, k.Request, "/"+k.env.ID+"/signon/factors", http.StatusSeeOther)
	return nil
}
