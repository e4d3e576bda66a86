package api

import (
	"cmp"
	"net/http"

	"ldap-gateway/cloud/management"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloudlink/wire"
)

// There is no status for a password of the cloud's own: it keeps none.
type passwordBody struct {
	Links    links         `json:"_links"`
	Status   string        `json:"status"` // EXTERNAL, or NO_PASSWORD: the cloud keeps none
	External *externalBody `json:"external,omitempty"`
}

// externalBody has the gateway in it, as compatible clients have it.
type externalBody struct {
	Gateway linkForm `json:"gateway"`
}

// linkForm says which directory checks a user's password, and which entry is theirs.
type linkForm struct {
	ID          string            `json:"id"`
	Type        string            `json:"type,omitempty"`
	UserType    *reference        `json:"userType"`
	Correlation map[string]string `json:"correlationAttributes"`
}

// showPassword shows who checks a user's password, and by which values the entry is
// found.
func showPassword(c *call, u store.User) passwordBody {
	b := passwordBody{Links: c.self("users", u.ID, "password"), Status: "NO_PASSWORD"}
	if u.GatewayID == "" {
		return b
	}
	l := linkForm{ID: u.GatewayID, Type: "LDAP", UserType: refer(u.UserTypeID), Correlation: map[string]string{}}
	for _, v := range u.Correlation {
		l.Correlation[v.Attribute] = v.Value
	}
	b.Status, b.External = "EXTERNAL", &externalBody{l}
	return b
}

// getPassword answers with who checks a user's password; 404 when there is no such
// user.
func (s *Server) getPassword(c *call) (reply, error) {
	u, err := s.userOf(c)
	if err != nil {
		return reply{}, err
	}
	return ok(showPassword(c, u))
}

// putPassword changes a password when the body has a new one, and else says who
// checks it.
// The passwords are overwritten when it is done, in the body too.
func (s *Server) putPassword(c *call) (reply, error) {
	u, err := s.userOf(c)
	if err != nil {
		return reply{}, err
	}
	body, err := c.body()
	if err != nil {
		return reply{}, err
	}
	defer clear(body)
	// One after the other, since a struct of both would have its name in the target of
	// what is wrong.
	var link linkForm
	var change changeForm
	all, err := decodeBody(body, &link)
	if err = cmp.Or(err, decodeLoosely(body, &change), checkKnown(all, &passwordSent{})); err != nil {
		return reply{}, err
	}
	defer clear(change.Current)
	defer clear(change.New)
	if len(change.Current) > 0 || len(change.New) > 0 {
		return s.changePassword(c, u, change)
	}
	return s.linkUser(c, u.ID, link)
}

// passwordSent has the names of all that the body may have.
type passwordSent struct {
	linkForm
	Current string `json:"currentPassword"`
	New     string `json:"newPassword"`
	Address string `json:"address"`
}

// linkUser links a user to a gateway's user type. Without correlation values
// the person's next sign-on finds the record by its username.
// The values replace those that the user has: an empty map is none.
func (s *Server) linkUser(c *call, user string, form linkForm) (reply, error) {
	values := form.Correlation
	if values == nil {
		values = map[string]string{}
	}
	u, err := s.Management.LinkUser(c.Context(), c.by(), user, func(u store.User) (management.Link, error) {
		to := store.UserTypeRef{Gateway: form.ID, UserType: form.UserType.id()}
		return management.Link{To: to, Values: values}, c.fresh(showPassword(c, u))
	})
	if err != nil {
		return reply{}, err
	}
	return ok(showPassword(c, u))
}

// changeForm is a password change by somebody who knows the old one. Nobody else's is
// made: an administrator's reset is the directory's business.
type changeForm struct {
	Current password `json:"currentPassword"`
	New     password `json:"newPassword"`
	Address string   `json:"address"` // of the person
}

// changePassword has the directory change it, through the agent. A refusal has the
// directory's reason as an outcome of the closed set, and 400, 429 or 503 by whether it
// helps to try again.
func (s *Server) changePassword(c *call, u store.User, form changeForm) (reply, error) {
	// Both are needed: an empty one is asked of no directory.
	for target, value := range map[string]password{"currentPassword": form.Current, "newPassword": form.New} {
		if len(value) == 0 {
			return reply{}, invalid(missing(target))
		}
	}
	if err := cmp.Or(checkAddress(form.Address), c.fresh(showPassword(c, u))); err != nil {
		return reply{}, err
	}
	changed, err := s.SignOns.ChangePassword(c.Context(), ChangeRequest{
		EnvironmentID: c.env,
		Username:      u.Username,
		Current:       form.Current,
		New:           form.New,
		Address:       form.Address,
		Actor:         c.by().Actor(),
	})
	if err != nil {
		return reply{}, err
	}
	if changed.Outcome == wire.OutcomeOK {
		return ok(showPassword(c, u))
	}
	return reply{}, notChanged(changed)
}

// notChanged is a refusal with the sentence that the person may see.
// The reason is for the client, and not for the person: it may tell whether they exist.
func notChanged(a ChangeAnswer) error {
	p := &problem{
		status:  http.StatusBadRequest,
		Code:    invalidData,
		Message: a.Message,
		Details: []detail{wrong("currentPassword", "%s", a.Message)},
		Inner:   map[string]string{"change": a.ID, "outcome": a.Outcome.String(), "reason": a.Reason},
	}
	switch a.Outcome {
	case wire.OutcomeNewPasswordRefused:
		p.Details, p.Inner["refusal"] = []detail{wrong("newPassword", "%s", a.Message)}, a.Refusal.String()
	case wire.OutcomeBusy:
		p.status, p.Code, p.Details = http.StatusTooManyRequests, requestLimited, nil
	case wire.OutcomeDirectoryUnavailable, wire.OutcomeTimeout, wire.OutcomeUnknown:
		p.status, p.Code, p.Details = http.StatusServiceUnavailable, unexpected, nil
	}
	return p
}
