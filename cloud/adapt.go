package cloud

import (
	"context"
	"net/http"

	"ldap-gateway/cloud/api"
	"ldap-gateway/cloud/applications"
	"ldap-gateway/cloud/hub"
	"ldap-gateway/cloud/oidc"
	"ldap-gateway/cloud/samlidp"
	"ldap-gateway/cloud/signon"
	"ldap-gateway/cloud/signonpage"
	"ldap-gateway/cloud/store"
)

// flows are the wishes of applications of all protocols, as the sign-on page knows them.
type flows struct {
	*oidc.Server
	saml *samlidp.Server
}

var _ signonpage.Flows = flows{}

// Flow implements signonpage.Flows, as those below do.
func (f flows) Flow(ctx context.Context, env, id string) (applications.Flow, error) {
	if samlidp.Flowing(id) {
		return f.saml.Flow(ctx, env, id)
	}
	return f.Server.Flow(ctx, env, id)
}

// Complete says who signed on.
func (f flows) Complete(env, id string, by store.SignedOn) (next string, err error) {
	if samlidp.Flowing(id) {
		return f.saml.Complete(env, id, by)
	}
	return f.Server.Complete(env, id, by)
}

// Refuse sends the browser back without a sign-on.
func (f flows) Refuse(w http.ResponseWriter, r *http.Request, env, id string, why applications.Refusal) error {
	if samlidp.Flowing(id) {
		return f.saml.Refuse(w, r, env, id, why)
	}
	return f.Server.Refuse(w, r, env, id, why)
}

// apiSignOns is the sign-on as the API knows it.
type apiSignOns struct{ service *signon.Service }

// SignOn implements api.SignOner.
func (s apiSignOns) SignOn(ctx context.Context, r api.SignOnRequest) (store.SignOn, api.Person, error) {
	so, who, err := s.service.SignOnPerson(ctx, signon.Request{
		EnvironmentID: r.EnvironmentID,
		Username:      r.Username,
		Password:      r.Password,
		Address:       r.Address,
		Actor:         r.Actor,
	})
	return so, api.Person(who), err
}

// ChangePassword implements api.SignOner.
func (s apiSignOns) ChangePassword(ctx context.Context, r api.ChangeRequest) (api.ChangeAnswer, error) {
	c, err := s.service.ChangePassword(ctx, signon.ChangeRequest{
		EnvironmentID: r.EnvironmentID,
		Username:      r.Username,
		Old:           r.Current,
		New:           r.New,
		Address:       r.Address,
		Actor:         r.Actor,
	})
	return api.ChangeAnswer{
		ID:      c.ID,
		Outcome: c.Outcome,
		Refusal: c.Refusal,
		Message: c.Message,
		Reason:  c.Reason,
	}, err
}

// apiLinks is the hub as the API knows it.
type apiLinks struct{ *hub.Hub }

// Live implements api.Linker.
func (l apiLinks) Live(gateway string) []api.LiveInstance {
	all := l.Hub.Live(gateway)
	out := make([]api.LiveInstance, len(all))
	for i, x := range all {
		out[i] = api.LiveInstance{
			ID:                  x.Instance,
			BusyPercent:         int(x.Beat.BusyPercent),
			OperationsPerSecond: x.Beat.OperationsPerSecond,
			ResponseTimeMillis:  x.Beat.ResponseTimeMillis,
			Servers:             x.Beat.Servers,
			Problems:            x.Problems(),
			Refused:             x.Refused,
			Policy:              x.Policy,
			Since:               x.Since,
		}
	}
	return out
}
