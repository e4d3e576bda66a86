package api

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"ldap-gateway/cloud/management"
	"ldap-gateway/cloud/store"
)

// secretBody is the secret of an application.
type secretBody struct {
	Links       links     `json:"_links"`
	Environment reference `json:"environment"`
	Secret      string    `json:"secret"`
	// Previous is the secret before, while it is good; nil: it is not.
	Previous *previousSecret `json:"previous,omitempty"`
}

// previousSecret is the secret before the present one.
type previousSecret struct {
	Secret    string    `json:"secret,omitempty"` // only where it is read
	ExpiresAt time.Time `json:"expiresAt"`
}

// secretForm is what a client may say of a new secret: until when the one before is good.
// Without a word it is worth nothing at once.
type secretForm struct {
	Previous *struct {
		ExpiresAt time.Time `json:"expiresAt"`
	} `json:"previous,omitempty"`
}

// getSecret answers with the secret of an application, for who may make a new one. That it
// was read is an activity.
func (s *Server) getSecret(c *call) (reply, error) {
	all, err := s.Management.ApplicationSecret(c.Context(), c.by(), c.PathValue("a"))
	if err != nil {
		return reply{}, err
	}
	return ok(secretOf(c, c.PathValue("a"), all))
}

// secretOf shows the secrets of an application.
func secretOf(c *call, id string, all management.Secrets) secretBody {
	b := secretBody{c.self("applications", id, "secret"), reference{c.env}, all.Secret, nil}
	if !all.Until.IsZero() {
		b.Previous = &previousSecret{all.Former, all.Until}
	}
	return b
}

// makeSecret gives an application a new secret, which is shown in this answer; the one before is
// good until the body says. It takes no body.
// It is not told again for an Idempotency-Key: see secretPaths.
func (s *Server) makeSecret(c *call) (reply, error) {
	var form secretForm
	if c.ContentLength != 0 {
		if err := c.read(&form); err != nil {
			return reply{}, err
		}
	}
	var until time.Time
	if form.Previous != nil {
		until = form.Previous.ExpiresAt
	}
	a, secret, err := s.Management.RenewApplication(c.Context(), c.by(), c.PathValue("a"), until)
	if err != nil {
		return reply{}, err
	}
	return created(secretOf(c, a.ID, management.Secrets{Secret: secret, Until: a.Former.Until}))
}

// endSecret has the secret before the present one be worth nothing; 404 when it is not good.
func (s *Server) endSecret(c *call) (reply, error) {
	_, err := s.Management.EndFormerSecret(c.Context(), c.by(), c.PathValue("a"))
	return gone(err)
}

// applicationOf returns the application in the path, or store.ErrNotFound.
func (s *Server) applicationOf(c *call) (store.Application, error) {
	return s.Store.Application(c.Context(), c.env, c.PathValue("a"))
}

// claimForm is what a client may write of a claim of an application.
type claimForm struct {
	Name     string `json:"name"`
	Value    string `json:"value"`
	Required bool   `json:"required"`
	// NameFormat is of SAML alone: what an assertion says of the name.
	NameFormat string `json:"nameFormat,omitempty"`
	// Where OpenID Connect tells the claim; nil: nothing was said, and it does.
	InIDToken  *bool `json:"idToken,omitempty"`
	InUserInfo *bool `json:"userInfo,omitempty"`
}

// of is the claim that a form says, with an ID. What only another protocol has is no part.
func (f claimForm) of(id string, protocol store.ProviderType) store.ApplicationAttribute {
	claim := store.ApplicationAttribute{
		ID:         id,
		Name:       f.Name,
		Value:      f.Value,
		Required:   f.Required,
		InIDToken:  f.InIDToken,
		InUserInfo: f.InUserInfo,
	}
	if protocol == store.SAML {
		claim.NameFormat = f.NameFormat
	}
	return claim
}

// claimBody has the times of its application, of which it is a part.
type claimBody struct {
	Links       links     `json:"_links"`
	ID          string    `json:"id"`
	Environment reference `json:"environment"`
	Application reference `json:"application"`
	claimForm
	MappingType string    `json:"mappingType"`
	CreatedAt   time.Time `json:"createdAt"`
	UpdatedAt   time.Time `json:"updatedAt"`
}

// The subject of an application's tokens is the user's ID.
const (
	subjectClaim = "sub"
	subjectValue = "${user.id}"
)

// claimsOf are the claims of an application; the first is the subject, which every one has.
func claimsOf(a store.Application) []store.ApplicationAttribute {
	if a.Protocol == store.SAML {
		return append([]store.ApplicationAttribute{samlSubject(a)}, a.Kept.Attributes...)
	}
	subject := store.ApplicationAttribute{
		ID:       derivedID(a.ID, subjectClaim),
		Name:     subjectClaim,
		Value:    subjectValue,
		Required: true,
	}
	return append([]store.ApplicationAttribute{subject}, a.Kept.Attributes...)
}

func showClaim(c *call, a store.Application, claim store.ApplicationAttribute) claimBody {
	b := claimBody{
		Links:       c.self("applications", a.ID, "attributes", claim.ID),
		ID:          claim.ID,
		Environment: reference{c.env},
		Application: reference{a.ID},
		claimForm: claimForm{
			Name:       claim.Name,
			Value:      claim.Value,
			Required:   claim.Required,
			NameFormat: claim.NameFormat,
			InIDToken:  claim.InIDToken,
			InUserInfo: claim.InUserInfo,
		},
		MappingType: "CUSTOM",
		CreatedAt:   a.CreatedAt,
		UpdatedAt:   a.UpdatedAt,
	}
	if claim.ID == claimsOf(a)[0].ID {
		b.MappingType = "CORE"
	}
	return b
}

// listClaims answers with the claims of an application.
func (s *Server) listClaims(c *call) (reply, error) {
	a, err := s.applicationOf(c)
	if err != nil {
		return reply{}, err
	}
	show := func(claim store.ApplicationAttribute) claimBody { return showClaim(c, a, claim) }
	return few(c, "attributes", claimsOf(a), show, "id", "name", "value", "mappingType", "required?")
}

// claimAt returns where a claim is among those of the application's own; -1 for the
// subject. store.ErrNotFound when there is none.
func claimAt(c *call, a store.Application) (int, error) {
	i := slices.IndexFunc(claimsOf(a), func(m store.ApplicationAttribute) bool { return m.ID == c.PathValue("id") })
	if i < 0 {
		return 0, store.ErrNotFound
	}
	return i - 1, nil
}

// getClaim answers with one claim.
func (s *Server) getClaim(c *call) (reply, error) {
	a, err := s.applicationOf(c)
	if err != nil {
		return reply{}, err
	}
	i, err := claimAt(c, a)
	if err != nil {
		return reply{}, err
	}
	return ok(showClaim(c, a, claimsOf(a)[i+1]))
}

// createClaim adds a claim to an application.
func (s *Server) createClaim(c *call) (reply, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return reply{}, err
	}
	return s.writeClaim(c, http.StatusCreated, func(*store.Application) (int, string, error) {
		return -2, id.String(), nil
	})
}

// putClaim replaces a claim. The subject can only be written as it is.
func (s *Server) putClaim(c *call) (reply, error) {
	return s.writeClaim(c, http.StatusOK, func(a *store.Application) (int, string, error) {
		i, err := claimAt(c, *a)
		if err != nil {
			return 0, "", err
		}
		return i, c.PathValue("id"), c.fresh(showClaim(c, *a, claimsOf(*a)[i+1]))
	})
}

// writeClaim reads a claim and puts it at the place that at says: -2 is behind all, and -1
// the subject.
func (s *Server) writeClaim(
	c *call, status int, at func(*store.Application) (int, string, error),
) (reply, error) {
	var form claimForm
	if err := c.read(&form); err != nil {
		return reply{}, err
	}
	var claim store.ApplicationAttribute
	change := func(a *store.Application) error {
		i, id, err := at(a)
		if err != nil {
			return err
		}
		claim = form.of(id, a.Protocol)
		if i == -1 && a.Protocol == store.SAML {
			return form.intoSubject(a)
		}
		if i == -1 {
			return form.checkSubject(claimsOf(*a)[0])
		}
		a.Kept.Attributes = slices.Clone(a.Kept.Attributes)
		if err := form.check(*a, i); err != nil {
			return err
		}
		if i < 0 && len(a.Kept.Attributes) >= maxClaims {
			return refused(http.StatusBadRequest, "An application has at most 100 attributes of its own.")
		}
		if i < 0 {
			a.Kept.Attributes = append(a.Kept.Attributes, claim)
		} else {
			a.Kept.Attributes[i] = claim
		}
		return nil
	}
	a, err := s.Management.ChangeApplication(c.Context(), c.by(), c.PathValue("a"), change)
	if err != nil {
		return reply{}, err
	}
	return reply{status, showClaim(c, a, claim)}, nil
}

// maxClaims bounds the claims of an application: all of them are in each token.
const maxClaims = 100

// ownClaims are those that tokens have by themselves: whoever reads a token goes by them.
func ownClaims() []string {
	return []string{
		"sub", "iss", "aud", "exp", "iat", "nbf", "jti", "nonce", "acr", "amr", "azp", "at_hash", "c_hash", "s_hash", "sid",
		"auth_time", "client_id", "scope", "groups", "groups_overflow", "_claim_names", "_claim_sources", "email_verified",
		"phone_number_verified", "cnf", "act", "may_act", "events", "active", "token_type", "username",
	}
}

// check tells what a claim at a place may not be.
func (f claimForm) check(a store.Application, at int) error {
	if a.Protocol == store.SAML {
		return f.checkSAML(a, at)
	}
	var wrongs []detail
	same := func(i int, m store.ApplicationAttribute) bool { return i != at && m.Name == f.Name }
	switch {
	case f.Name == "":
		wrongs = append(wrongs, missing("name"))
	case slices.Contains(ownClaims(), f.Name):
		wrongs = append(wrongs, wrong("name", "Tokens have this claim by themselves."))
	case slices.ContainsFunc(a.Kept.Attributes, func(m store.ApplicationAttribute) bool {
		return same(slices.Index(a.Kept.Attributes, m), m)
	}):
		wrongs = append(wrongs, detail{notUnique, "name", "Another attribute of this application has this name."})
	}
	property, ends := strings.CutSuffix(strings.TrimPrefix(f.Value, "${user."), "}")
	if !ends || !strings.HasPrefix(f.Value, "${user.") || property == "" || strings.ContainsAny(property, "${} ") {
		wrongs = append(wrongs, wrong("value", "It must be one property of the user, as in ${user.email}."))
	}
	if f.NameFormat != "" {
		wrongs = append(wrongs, wrong("nameFormat", "It is of applications of SAML. Leave it out."))
	}
	if f.Required {
		wrongs = append(wrongs, wrong("required", "It must be false: a claim without a value is left out."))
	}
	if off(f.InIDToken) && off(f.InUserInfo) {
		wrongs = append(wrongs, wrong("userInfo", "It or idToken must be true: the claim is told nowhere."))
	}
	return invalid(wrongs...)
}

// off tells of a switch that is said to be so.
func off(b *bool) bool { return b != nil && !*b }

// checkSubject refuses another subject than the one that there is.
func (f claimForm) checkSubject(is store.ApplicationAttribute) error {
	var wrongs []detail
	if f.Name != is.Name {
		wrongs = append(wrongs, wrong("name", "It stays %s.", is.Name))
	}
	if f.Value != is.Value {
		wrongs = append(wrongs, detail{readOnly, "value", "It must be " + is.Value + ": the subject is the user's ID."})
	}
	if !f.Required {
		wrongs = append(wrongs, wrong("required", "It must be true: every token has a subject."))
	}
	if off(f.InIDToken) {
		wrongs = append(wrongs, wrong("idToken", "It must be true: every ID token has a subject."))
	}
	if off(f.InUserInfo) {
		wrongs = append(wrongs, wrong("userInfo", "It must be true: every answer has the subject."))
	}
	return invalid(wrongs...)
}

// deleteClaim takes a claim off an application; the subject stays.
func (s *Server) deleteClaim(c *call) (reply, error) {
	change := func(a *store.Application) error {
		i, err := claimAt(c, *a)
		if err != nil {
			return err
		}
		if i < 0 {
			return refused(http.StatusBadRequest, "Every token has a subject.")
		}
		err = c.fresh(showClaim(c, *a, claimsOf(*a)[i+1]))
		a.Kept.Attributes = slices.Delete(slices.Clone(a.Kept.Attributes), i, i+1)
		return err
	}
	_, err := s.Management.ChangeApplication(c.Context(), c.by(), c.PathValue("a"), change)
	return gone(err)
}
