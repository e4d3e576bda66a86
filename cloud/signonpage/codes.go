package signonpage

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"slices"

	"ldap-gateway/cloud/applications"
	"ldap-gateway/cloud/factors"
	"ldap-gateway/cloud/store"
)

// codesPage shows recovery codes that are good once the person says that they have them.
type codesPage struct {
	Flow, Then string
	Error      string
	Codes      []string
	Set        string // which they are, so that no other window's are kept in their place
	Before     bool   // there are some, which these take the place of
}

// shownCodes are those that the page shows, of several windows the last. Only their hashes are kept.
type shownCodes struct{ Hashes [][]byte }

// set tells codes from others.
func (s shownCodes) set() string {
	sum := sha256.Sum256(slices.Concat(s.Hashes...))
	return hex.EncodeToString(sum[:8])
}

// codesOf returns who may have recovery codes made: who has given a factor a moment ago. When it is false, the
// answer was given.
func (k *call) codesOf() (flow applications.Flow, c candidate, ok bool, err error) {
	if flow, c, ok, err = k.settingUp(); err != nil || !ok {
		return flow, c, false, err
	}
	if !c.have.Any() { // there is nothing that they could stand in for
		http.Redirect(k.w, k.Request, k.path("/factor/new", flow, nil), http.StatusSeeOther)
	}
	return flow, c, c.have.Any(), nil
}

// showCodes shows other codes each time that the page is asked for: a page that was lost costs nothing, and
// those of before are good until these are kept.
func (k *call) showCodes() error {
	flow, c, ok, err := k.codesOf()
	if err != nil || !ok {
		return err
	}
	return k.renderCodes(http.StatusOK, flow, c, "")
}

func (k *call) renderCodes(status int, flow applications.Flow, c candidate, problem string) error {
	codes, hashes := factors.NewCodes()
	shown := shownCodes{hashes}
	b, err := json.Marshal(shown)
	if err != nil {
		return err
	}
	k.Sessions.manager.Put(k.Context(), codesKey(k.env.ID), b)
	return k.render(status, "codes.html", "Your recovery codes", codesPage{
		Flow:   flow.ID,
		Then:   k.then(),
		Error:  problem,
		Codes:  codes,
		Set:    shown.set(),
		Before: c.have.Recovery.Made > 0,
	})
}

// keepCodes keeps the codes of the page for who says that they have them, and goes on.
func (k *call) keepCodes() error {
	flow, c, ok, err := k.codesOf()
	if err != nil || !ok {
		return err
	}
	var shown shownCodes
	if json.Unmarshal(k.Sessions.manager.PopBytes(k.Context(), codesKey(k.env.ID)), &shown) != nil ||
		shown.set() != k.PostForm.Get("set") {
		return k.renderCodes(http.StatusConflict, flow, c,
			"This page was opened once more meanwhile. These are the codes that count: keep them in the place of the others.")
	}
	err = k.Factors.KeepCodes(k.Context(), k.who(c), shown.Hashes)
	if err != nil && !errors.Is(err, store.ErrNotFound) { // they gave the factor up at this moment
		return err
	}
	return k.onward(flow, c.SignedOn, c.For == k.purpose(flow))
}
