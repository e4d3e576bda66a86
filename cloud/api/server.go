package api

import (
	"cmp"
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"ldap-gateway/cloud/management"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/throttle"
	"ldap-gateway/cloud/web"
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
	// SignOn returns the recorded sign-on whatever its outcome, and who it is of; an
	// error only when nothing could be recorded.
	SignOn(ctx context.Context, r SignOnRequest) (store.SignOn, Person, error)
	// ChangePassword does so with a change.
	ChangePassword(ctx context.Context, r ChangeRequest) (ChangeAnswer, error)
}

// Person is who signed on, as far as that was read on the way.
type Person struct {
	Username string
	Groups   []store.Group // all that they are in, in no order; nil: they were not looked at
}

// Linker knows the instances that are connected.
type Linker interface {
	// Live returns the connected instances of a gateway.
	Live(gateway string) []LiveInstance
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
	Store      *store.Store // to read
	Management *management.Service
	Logger     hclog.Logger // nil: none
	SignOns    SignOner
	Links      Linker
	Now        func() time.Time // nil: time.Now
	URL        string           // in front of links, as "https://id.example.com": clients follow them as they stand
	Version    string           // of the newest agent, to tell who should upgrade; empty: not told
	Requests   int              // that a client may make in a minute; 0: DefaultRequests
	Bounds     *throttle.Bounds // of what is refused; nil: nobody counts

	limiters sync.Map // of clients, by ID
}

// Serves tells whether a request's path is one of this API.
// It is asked of every request to the program, so it looks at the text alone.
func Serves(path string) bool {
	token := path == "/as/token" || strings.Count(path, "/") == 3 && strings.HasSuffix(path, "/as/token")
	return path == "/v1" || strings.HasPrefix(path, "/v1/") || token
}

// endpoint answers one authorised request.
type endpoint func(c *call) (reply, error)

// Handler returns the API. It answers every path: with 404 those that it has not.
// Each method and path is registered by itself: what is not in the table of routes.go
// is 404 or 405, never somebody else's endpoint.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	all, asked := s.endpoints(), parameters()
	for pattern, r := range all {
		method, path, _ := strings.Cut(pattern, " ")
		has := asked[method+" "+address(path)]
		_, readable := all["GET "+path]
		mux.Handle(method+" "+address(path), s.authorised(r.action, func(c *call) (reply, error) {
			if err := cmp.Or(c.checkQuery(has), c.conditional(readable)); err != nil {
				return reply{}, err
			}
			return s.once(c, path, r.answer)
		}))
	}
	mux.HandleFunc("GET /v1/openapi.json", serveOpenAPI)
	mux.HandleFunc("POST /{environmentId}/as/token", s.token)
	mux.HandleFunc("POST /as/token", s.token)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { s.noRoute(mux, w, r) })
	return web.Limited(maxBody, mux)
}

// now is the time of day, which tests set.
func (s *Server) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}

// log is where our own faults go; without a logger, nowhere.
func (s *Server) log() hclog.Logger {
	if s.Logger == nil {
		return hclog.NewNullLogger()
	}
	return s.Logger
}

// noRoute tells a path that does not exist from a method that it does not have, and what
// to do instead, as far as that is known.
// It needs no token: which paths and methods there are is in the document that
// everybody may read.
func (s *Server) noRoute(mux *http.ServeMux, w http.ResponseWriter, r *http.Request) {
	var allowed []string
	why := instead(r.URL.Path)
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := mux.Handler(other); pattern != "/" {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) > 0 {
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		s.fail(w, r, &problem{
			status:  http.StatusMethodNotAllowed,
			Code:    invalidRequest,
			Message: strings.TrimSpace("This resource has no " + r.Method + ". " + why),
		})
		return
	}
	why = cmp.Or(why, "There is nothing at this path.")
	s.fail(w, r, &problem{status: http.StatusNotFound, Code: notFound, Message: why})
}
