package samlidp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/crewjam/saml"

	"ldap-gateway/cloud/applications"
	"ldap-gateway/cloud/store"
)

// wish is what is kept of an application's request, and then of its answer.
type wish struct {
	Request    string   `json:"request,omitempty"` // its ID; empty: the person began here
	ACS        string   `json:"acs"`
	Relay      []byte   `json:"relay,omitempty"`
	Force      bool     `json:"force,omitempty"`
	Passive    bool     `json:"passive,omitempty"`
	Subject    string   `json:"subject,omitempty"` // the name ID that it must be; empty: anybody's
	Hint       string   `json:"hint,omitempty"`
	Contexts   []string `json:"contexts,omitempty"` // one of which it must be; none: any
	Comparison string   `json:"comparison,omitempty"`
	Told       *told    `json:"told,omitempty"` // once it is answered
}

// told is what an answer has said, by which an application names a session at sign-off.
type told struct {
	NameID, Format, Index string
}

func readWish(text []byte) (w wish, err error) { return w, json.Unmarshal(text, &w) }

// emailFormat is that of name IDs that are addresses.
const emailFormat = string(saml.EmailAddressNameIDFormat)

// wishOf takes the wish from a request; no is why it cannot be met, in words of the
// specification.
func wishOf(req *saml.IdpAuthnRequest, a store.Application) (w wish, no *status) {
	r := req.Request
	w = wish{
		Request: r.ID,
		ACS:     req.ACSEndpoint.Location,
		Relay:   []byte(req.RelayState),
		Force:   r.ForceAuthn != nil && *r.ForceAuthn,
		Passive: r.IsPassive != nil && *r.IsPassive,
	}
	if n := r.Subject; n != nil && (n.BaseID != nil || n.EncryptedID != nil) {
		return w, &status{saml.StatusRequester, saml.StatusRequestUnsupported, "Name a person by a NameID."}
	} else if n != nil && n.NameID != nil {
		w.Subject = n.NameID.Value
		if n.NameID.Format == emailFormat {
			w.Hint = w.Subject
		}
	}
	if c := r.RequestedAuthnContext; c != nil && a.SAML.Contexts {
		w.Contexts, w.Comparison = c.AuthnContextClassRefs, c.Comparison
		if len(w.Contexts) == 0 { // by declarations, which there are none of
			return w, &status{saml.StatusRequester, saml.StatusNoAuthnContext, ""}
		}
	}
	if b := r.ProtocolBinding; b != "" && b != saml.HTTPPostBinding {
		return w, &status{saml.StatusRequester, saml.StatusUnsupportedBinding, "Answers are posted."}
	}
	own := []string{"", a.SAML.EntityID}
	if p := r.NameIDPolicy; p != nil && p.SPNameQualifier != nil && !slices.Contains(own, *p.SPNameQualifier) {
		return w, &status{saml.StatusRequester, saml.StatusInvalidNameIDPolicy, "A name ID is of the application alone."}
	}
	if w.Passive && w.Force {
		return w, &status{saml.StatusResponder, saml.StatusNoPassive, ""}
	}
	return w, nil
}

// begin sends the browser to sign on for a wish, which it carries.
func (k *call) begin(a store.Application, w wish) error {
	b, err := json.Marshal(w)
	if err != nil {
		return err
	}
	text, err := k.wishes().Begin(&store.Authorization{
		EnvironmentID: k.env,
		ApplicationID: a.ID,
		Request:       b,
		CreatedAt:     k.now(),
		ExpiresAt:     k.now().Add(wishLife),
	})
	if errors.Is(err, applications.ErrWishTooLong) {
		return refuse(nil, "The request of the application is too long: keep its RelayState short.")
	}
	if err != nil {
		return err
	}
	http.Redirect(k.w, k.Request, k.page(flowPrefix+text), http.StatusSeeOther)
	return nil
}

// wishes are what browsers carry while somebody signs on.
func (s *Server) wishes() applications.Wishes {
	return applications.Wishes{Vault: s.Vault, Protocol: "SAML"}
}

// page is the address of the sign-on page for a flow.
func (k *call) page(flow string) string {
	return k.at(k.env, "/signon?") + url.Values{"flow": {flow}}.Encode()
}

// startSSO begins a sign-on for an application that did not ask for it. Where the person is to
// come to there goes as RelayState, when it is a place of the application.
func (k *call) startSSO() error {
	if err := k.mayBegin(); err != nil {
		return err
	}
	q := k.Request.URL.Query()
	p := &party{call: k}
	if err := p.lookUp(q.Get("spEntityId")); err != nil {
		return p.why(err)
	}
	if !p.a.SAML.Unsolicited {
		return refuse(nil, "Signing on for %s begins there.", p.a.Name)
	}
	w := wish{ACS: p.a.SAML.ACS[0], Relay: []byte(p.a.SAML.DefaultTarget)}
	if to := q.Get("applicationUrl"); to != "" && placeOf(p.a, to) {
		w.Relay = []byte(to)
	}
	return k.begin(p.a, w)
}

// placeOf tells whether an address is one of the application's: of a site that it has
// registered an address at.
func placeOf(a store.Application, to string) bool {
	u, err := url.Parse(to)
	if err != nil || u.Host == "" || u.User != nil || len(to) > mostRelay {
		return false
	}
	known := append(slices.Clone(a.SAML.ACS), a.SAML.DefaultTarget)
	if a.Kept.HomePage != nil {
		known = append(known, *a.Kept.HomePage)
	}
	return slices.ContainsFunc(known, func(one string) bool {
		o, err := url.Parse(one)
		return err == nil && o.Host != "" && o.Scheme == u.Scheme && strings.EqualFold(o.Host, u.Host)
	})
}

// Flow returns one that is under way; store.ErrNotFound when there is none, or it has taken
// too long.
func (s *Server) Flow(ctx context.Context, env, flow string) (applications.Flow, error) {
	z, w, err := s.wish(env, flow)
	if err != nil {
		return applications.Flow{}, err
	}
	a, err := s.application(ctx, env, z.ApplicationID)
	if err != nil {
		return applications.Flow{}, err
	}
	f := applications.Flow{
		ID:           flow,
		Application:  a.Name,
		LoginHint:    w.Hint,
		Silent:       w.Passive,
		MaxAge:       -1,
		Anew:         w.Force,
		AskForTicket: a.AskForTicket || slices.Contains(w.Contexts, classTicket),
		ACR:          slices.DeleteFunc(slices.Clone(w.Contexts), ownClass),
		Factor:       w.wantsFactor(),
		Access:       a.AccessRule(),
		Policies:     a.Kept.PolicyIDs(),
	}
	if f.Anew {
		f.MaxAge = 0
	}
	return f, nil
}

// Complete says who signed on, and returns where the browser is to go.
func (s *Server) Complete(env, flow string, by store.SignedOn) (next string, err error) {
	z, _, err := s.wish(env, flow)
	if err != nil {
		return "", fmt.Errorf("complete the sign-on: %w", err)
	}
	return "/" + env + resumePath + "?flow=" + flowPrefix + s.wishes().SignedOn(z, by), nil
}

// Refuse sends the browser back to the application without a sign-on.
func (s *Server) Refuse(w http.ResponseWriter, r *http.Request, env, flow string, why applications.Refusal) error {
	z, wanted, err := s.wish(env, flow)
	if err != nil {
		return err
	}
	a, err := s.application(r.Context(), env, z.ApplicationID)
	if err == nil {
		err = wanted.stillAt(a)
	}
	if err != nil {
		return err
	}
	no := status{saml.StatusResponder, saml.StatusNoPassive, ""}
	if why == applications.Declined {
		no = status{saml.StatusResponder, saml.StatusAuthnFailed, "The person did not want to go on."}
	}
	return (&call{Request: r, Server: s, w: w, env: env}).tell(a, wanted, no)
}

// stillAt is store.ErrNotFound when an application does not have the address any more that it is to be
// told at: it may have been taken away meanwhile.
func (w wish) stillAt(a store.Application) error {
	if !slices.Contains(a.SAML.ACS, w.ACS) {
		return fmt.Errorf("%w: the address %s is not registered any more", store.ErrNotFound, w.ACS)
	}
	return nil
}

// The classes of authentication contexts that sign-ons here are of (saml-authn-context 3.4).
const (
	classPassword  = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
	classPlain     = "urn:oasis:names:tc:SAML:2.0:ac:classes:Password"
	classTicket    = "urn:oasis:names:tc:SAML:2.0:ac:classes:Kerberos"
	classUnknown   = "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified"
	classFactor    = "https://refeds.org/profile/mfa" // a second factor (REFEDS MFA Profile 1.2)
	minimum, exact = "minimum", "exact"
)

func ownClass(class string) bool {
	return slices.Contains([]string{classPassword, classPlain, classTicket, classUnknown, classFactor}, class)
}

// wantsFactor tells whether the class that the application prefers, of those that there are, is the one with
// a second factor.
func (w wish) wantsFactor() bool {
	i := slices.IndexFunc(w.Contexts, ownClass)
	return i >= 0 && w.Contexts[i] == classFactor
}

// classOf is that of a sign-on, in an answer to a wish. What a provider did is its own matter. One with a
// second factor is of its class, unless the application asked for others alone.
func (w wish) classOf(by store.SignedOn) string {
	if by.Factor != "" && (len(w.Contexts) == 0 || slices.Contains(w.Contexts, classFactor)) {
		return classFactor
	}
	switch by.Method {
	case store.ByPassword:
		return classPassword
	case store.ByKerberos:
		return classTicket
	}
	return classUnknown
}

// met tells whether a sign-on is of a class that the application asked for (saml-core
// 3.3.2.2.1). What is better than another class nobody has said.
func (w wish) met(by store.SignedOn) bool {
	class := w.classOf(by)
	switch w.Comparison {
	case "", exact:
		return len(w.Contexts) == 0 || slices.Contains(w.Contexts, class)
	case minimum:
		return slices.Contains(w.Contexts, class) || slices.Contains(w.Contexts, classUnknown) ||
			class == classPassword && slices.Contains(w.Contexts, classPlain)
	case "maximum":
		return slices.Contains(w.Contexts, class)
	}
	return false
}

// old tells whether a sign-on was before a wish that it be made anew. Sign-ons are kept to the
// second.
func (w wish) old(z store.Authorization) bool {
	return w.Force && z.SignedOn.At.Before(z.CreatedAt.Truncate(time.Second))
}
