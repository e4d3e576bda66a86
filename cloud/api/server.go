package api

import (
	"cmp"
	"context"
	"hash/maphash"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloudlink/wire"
)

// SignOnRequest is one person's sign-on by password, asked for by a client.
type SignOnRequest struct {
	EnvironmentID, Username string
	Password                []byte // overwritten with zeroes after SignOn has returned
	Address                 string // of the person, as the client says; empty when it does not
	Actor                   string // "client:ID"
}

// ChangeRequest is one person's password change, asked for by a client.
type ChangeRequest struct {
	EnvironmentID, Username string
	Current, New            []byte // overwritten with zeroes after ChangePassword has returned
	Address                 string // of the person, as the client says; empty when it does not
	Actor                   string // "client:ID"
}

// ChangeAnswer is what came of a ChangeRequest.
type ChangeAnswer struct {
	ID      string
	Outcome wire.Outcome
	Refusal wire.PasswordRefusal // with wire.OutcomeNewPasswordRefused
	Message string               // the sentence that the person may see
	Reason  string               // for the administrator
}

// SignOner does sign-ons and password changes.
type SignOner interface {
	// SignOn returns the recorded sign-on whatever its outcome; an error only
	// when nothing could be recorded.
	SignOn(ctx context.Context, r SignOnRequest) (store.SignOn, error)
	// ChangePassword does so with a change.
	ChangePassword(ctx context.Context, r ChangeRequest) (ChangeAnswer, error)
}

// Pairer makes pairing codes.
type Pairer interface {
	// Offer makes a one-time code for a gateway; by says who asked, in words.
	// store.ErrNotFound when there is no such gateway.
	Offer(ctx context.Context, env, gateway, by string) (p store.Pairing, code string, err error)
	// Approve makes the agent that shows a code an instance, and Deny turns it
	// away: store.ErrNotFound, store.ErrUsed or store.ErrExpired.
	Approve(ctx context.Context, env, gateway, code, by string) (store.Instance, error)
	Deny(ctx context.Context, code string) error
}

// Linker knows the instances that are connected, and tells them of changes.
type Linker interface {
	// Live returns the connected instances of a gateway.
	Live(gateway string) []LiveInstance
	// UserTypesChanged says that a gateway was changed: its user types, or
	// whether it is enabled.
	UserTypesChanged(ctx context.Context, gateway string)
	// Revoked says that an instance's credential is not good any more.
	Revoked(ctx context.Context, instance string)
}

// LiveInstance is what a connected instance reports of itself.
type LiveInstance struct {
	ID                  string
	BusyPercent         int
	OperationsPerSecond float64
	ResponseTimeMillis  float64
	Servers             []wire.Server
	Problems            []wire.Problem
	Refused             []wire.Refused
	Policy              []string
	Since               time.Time
}

// Server is the API.
type Server struct {
	Store    *store.Store
	Logger   hclog.Logger // nil: none
	SignOns  SignOner
	Pairings Pairer
	Links    Linker
	Keys     KeyKeeper
	Now      func() time.Time // nil: time.Now
	URL      string           // in front of links, as "https://id.example.com"; empty: links are paths
	Version  string           // of the newest agent, to tell who should upgrade; empty: not told
	Requests int              // that a client may make in a minute; 0: DefaultRequests

	turns    turns
	limiters sync.Map // of clients, by ID
}

// Serves tells whether a request's path is one of this API.
func Serves(path string) bool {
	return path == "/v1" || strings.HasPrefix(path, "/v1/") || strings.Count(path, "/") == 3 && strings.HasSuffix(path, "/as/token")
}

// endpoint answers one authorised request.
type endpoint func(c *call) (reply, error)

// Handler returns the API. It answers every path: with 404 those that it has not.
func (s *Server) Handler() http.Handler {
	s.turns.seed = maphash.MakeSeed()
	mux := http.NewServeMux()
	all := s.endpoints()
	for pattern, e := range all {
		method, path, _ := strings.Cut(pattern, " ")
		mux.Handle(method+" /v1/environments"+path, s.authorised(method, path, func(c *call) (reply, error) {
			return s.once(c, path, func(c *call) (reply, error) { return s.unchanged(c, all["GET "+path], e) })
		}))
	}
	mux.HandleFunc("GET /v1/openapi.json", serveOpenAPI)
	mux.HandleFunc("POST /{environmentId}/as/token", s.token)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { s.noRoute(mux, w, r) })
	return limited(mux)
}

// endpoints lists every method and path below /v1/environments.
func (s *Server) endpoints() map[string]endpoint {
	all := map[string]endpoint{}
	for _, part := range []map[string]endpoint{s.placeEndpoints(), s.peopleEndpoints(), s.applicationEndpoints()} {
		maps.Copy(all, part)
	}
	return all
}

// placeEndpoints lists what there is of environments and gateways, by method
// and path below /v1/environments.
func (s *Server) placeEndpoints() map[string]endpoint {
	return map[string]endpoint{
		"GET ":     s.listEnvironments,
		"GET /{e}": s.getEnvironment,
		"PUT /{e}": s.putEnvironment,

		"GET /{e}/populations":        s.listPopulations,
		"POST /{e}/populations":       s.createPopulation,
		"GET /{e}/populations/{p}":    s.getPopulation,
		"PUT /{e}/populations/{p}":    s.putPopulation,
		"PATCH /{e}/populations/{p}":  s.putPopulation,
		"DELETE /{e}/populations/{p}": s.deletePopulation,

		"GET /{e}/gateways":        s.listGateways,
		"POST /{e}/gateways":       s.createGateway,
		"GET /{e}/gateways/{g}":    s.getGateway,
		"PUT /{e}/gateways/{g}":    s.putGateway,
		"DELETE /{e}/gateways/{g}": s.deleteGateway,

		"GET /{e}/gateways/{g}/userTypes":             s.listUserTypes,
		"POST /{e}/gateways/{g}/userTypes":            s.createUserType,
		"GET /{e}/gateways/{g}/userTypes/defaults":    s.userTypeDefaults,
		"GET /{e}/gateways/{g}/userTypes/{t}":         s.getUserType,
		"PUT /{e}/gateways/{g}/userTypes/{t}":         s.putUserType,
		"DELETE /{e}/gateways/{g}/userTypes/{t}":      s.deleteUserType,
		"POST /{e}/gateways/{g}/userTypes/{t}/relink": s.relinkUsers,

		"GET /{e}/gateways/{g}/instances":        s.listInstances,
		"GET /{e}/gateways/{g}/instances/{i}":    s.getInstance,
		"DELETE /{e}/gateways/{g}/instances/{i}": s.revokeInstance,
		"GET /{e}/gateways/{g}/pairings":         s.listPairings,
		"POST /{e}/gateways/{g}/pairings":        s.createPairing,
		"GET /{e}/gateways/{g}/pairings/{id}":    s.getPairing,
		"DELETE /{e}/gateways/{g}/pairings/{id}": s.deletePairing,

		"GET /{e}/gateways/{g}/credentials":         s.listCredentials,
		"POST /{e}/gateways/{g}/credentials":        s.createCredential,
		"GET /{e}/gateways/{g}/credentials/{id}":    s.getCredential,
		"DELETE /{e}/gateways/{g}/credentials/{id}": s.deletePairing,
	}
}

// peopleEndpoints lists what there is of users and groups, in the same way.
func (s *Server) peopleEndpoints() map[string]endpoint {
	return map[string]endpoint{
		"GET /{e}/users":                            s.listUsers,
		"POST /{e}/users":                           s.createUser,
		"GET /{e}/users/{u}":                        s.getUser,
		"PUT /{e}/users/{u}":                        s.putUser,
		"PATCH /{e}/users/{u}":                      s.putUser,
		"DELETE /{e}/users/{u}":                     s.deleteUser,
		"GET /{e}/users/{u}/password":               s.getPassword,
		"PUT /{e}/users/{u}/password":               s.putPassword,
		"GET /{e}/users/{u}/memberOfGroups":         s.listUserGroups,
		"POST /{e}/users/{u}/memberOfGroups":        s.joinGroup,
		"GET /{e}/users/{u}/memberOfGroups/{id}":    s.getUserGroup,
		"DELETE /{e}/users/{u}/memberOfGroups/{id}": s.leaveGroup,

		"GET /{e}/groups":         s.listGroups,
		"POST /{e}/groups":        s.createGroup,
		"GET /{e}/groups/{id}":    s.getGroup,
		"PUT /{e}/groups/{id}":    s.putGroup,
		"PATCH /{e}/groups/{id}":  s.putGroup,
		"DELETE /{e}/groups/{id}": s.deleteGroup,

		"GET /{e}/signOns":      s.listSignOns,
		"POST /{e}/signOns":     s.createSignOn,
		"GET /{e}/signOns/{id}": s.getSignOn,
		"GET /{e}/activities":   s.listActivities,
	}
}

func (s *Server) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}

func (s *Server) log() hclog.Logger {
	if s.Logger == nil {
		return hclog.NewNullLogger()
	}
	return s.Logger
}

// noRoute tells a path that does not exist from a method that it does not have.
func (s *Server) noRoute(mux *http.ServeMux, w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := mux.Handler(other); pattern != "/" {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) > 0 {
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		s.fail(w, r, &problem{status: http.StatusMethodNotAllowed, Code: invalidRequest, Message: "This resource has no " + r.Method + "."})
		return
	}
	s.fail(w, r, &problem{status: http.StatusNotFound, Code: notFound, Message: "There is nothing at this path."})
}

// note is what a client did, and to what.
type note struct {
	action, subject, text string
	detail                map[string]any
}

// activity is a note as it is kept.
func (s *Server) activity(c *call, n note) store.Activity {
	return store.Activity{EnvironmentID: c.env, At: s.now(), Action: n.action, Actor: "client:" + c.client.ID, Subject: n.subject,
		Text: n.text + " by " + cmp.Or(c.client.Name, c.client.ID), Detail: n.detail}
}

// noting returns the store, which adds to what is written that this client did
// it; of is called when the rest is written.
func (s *Server) noting(c *call, of func() note) *store.Store {
	return s.Store.Noting(func() store.Activity { return s.activity(c, of()) })
}

// did records what was done already. That it could not is logged and not told.
func (s *Server) did(c *call, action, subject, text string, detail map[string]any) {
	if err := s.Store.AddActivity(context.WithoutCancel(c.Context()), s.activity(c, note{action, subject, text, detail})); err != nil {
		s.log().Error("activity was not recorded", "action", action, "subject", subject, "error", err)
	}
}
