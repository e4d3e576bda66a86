package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"ldap-gateway/cloud/fault"
	"ldap-gateway/cloud/management"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/throttle"
	"ldap-gateway/cloud/web"
)

// The codes of refusals.
const (
	invalidData    = "INVALID_DATA"
	invalidRequest = "INVALID_REQUEST"
	notFound       = "NOT_FOUND"
	accessFailed   = "ACCESS_FAILED"
	requestLimited = "REQUEST_LIMITED"
	unexpected     = "UNEXPECTED_ERROR"
	unavailable    = "TEMPORARILY_UNAVAILABLE"
)

// The codes of details.
const (
	invalidValue  = "INVALID_VALUE"
	requiredValue = "REQUIRED_VALUE"
	notUnique     = "UNIQUENESS_VIOLATION"
	readOnly      = "READ_ONLY"
	hasDependents = "DEPENDENTS"
)

// detail is one thing that is wrong with a request.
// Programs decide by code and target, people read the message: neither is ever in the
// other.
type detail struct {
	Code    string `json:"code"`
	Target  string `json:"target,omitempty"` // the property, as in "userTypes[0].searchBaseDn"
	Message string `json:"message"`
}

// problem is a refusal.
// Its status is the HTTP status, and in no body. The ID is that of the answer, under
// which the log has what is our fault.
type problem struct {
	status  int
	ID      string   `json:"id"`
	Code    string   `json:"code"`
	Message string   `json:"message"`
	Details []detail `json:"details,omitempty"`
	// Inner says more to programs, by name; nil: there is no more.
	Inner map[string]string `json:"innerError,omitempty"`
}

// Error implements error.
func (p *problem) Error() string { return p.Code + ": " + p.Message }

// invalid returns a refusal of what a request says, nil without details.
func invalid(details ...detail) error {
	if len(details) == 0 {
		return nil
	}
	return &problem{
		status:  http.StatusBadRequest,
		Code:    invalidData,
		Message: "The request could not be completed. One or more validation errors were in the request.",
		Details: details,
	}
}

// wrong is a detail of a value that cannot be.
func wrong(target, format string, args ...any) detail {
	return detail{invalidValue, target, fmt.Sprintf(format, args...)}
}

// missing is a detail of a value that must be.
func missing(target string) detail {
	return detail{requiredValue, target, target + " must be given."}
}

// refused is a request that is well formed and against the rules.
// It names no property, or names one besides: what is wrong is the request as a whole.
func refused(status int, message string, details ...detail) error {
	return &problem{status: status, Code: invalidRequest, Message: message, Details: details}
}

// asProblem finds the refusal for an error of management or of the store; nil when
// it is none.
// The order matters where an error is several: what management says of something counts
// before what the store said below it. The answer is a copy, since its ID is of one
// request.
// What is left is our fault, and 500.
func asProblem(err error) *problem {
	var p *problem
	if errors.As(err, &p) {
		copied := *p
		return &copied
	}
	if p := unmanaged(err); p != nil {
		return p
	}
	switch {
	case errors.Is(err, store.ErrUnavailable):
		return &problem{
			status:  http.StatusServiceUnavailable,
			Code:    unavailable,
			Message: "The database is away at this moment. Try again.",
		}
	case errors.Is(err, throttle.ErrFull):
		return &problem{
			status:  http.StatusServiceUnavailable,
			Code:    unavailable,
			Message: "Too many sign-ons are under way at this moment. Try again.",
		}
	case errors.Is(err, store.ErrNotFound):
		return &problem{
			status:  http.StatusNotFound,
			Code:    notFound,
			Message: "There is no such resource in this environment.",
		}
	case errors.Is(err, store.ErrConflict):
		return &problem{
			status:  http.StatusBadRequest,
			Code:    invalidData,
			Message: "It exists already.",
			Details: []detail{{Code: notUnique, Message: "It exists already."}},
		}
	case errors.Is(err, store.ErrDependents):
		return &problem{
			status:  http.StatusConflict,
			Code:    invalidRequest,
			Message: "It cannot be removed: " + err.Error() + ".",
		}
	case errors.Is(err, store.ErrStale):
		return &problem{
			status:  http.StatusConflict,
			Code:    invalidRequest,
			Message: "Somebody else changed it meanwhile. Read it again, and repeat.",
		}
	case errors.Is(err, store.ErrCursor):
		return &problem{
			status:  http.StatusBadRequest,
			Code:    invalidRequest,
			Message: "Start the list anew, without a cursor.",
			Details: []detail{wrong("cursor", "This is not a cursor of this list.")},
		}
	}
	return nil
}

// unmanaged finds the refusal for an error of management.
// A right that hangs on what was to be changed is 403 with the reason, since the client
// may read what it hangs on; a role that does not allow the action is 403 without.
func unmanaged(err error) *problem {
	var faults fault.List
	var higher *management.HigherError
	var dependents *management.DependentsError
	var rule *management.Refusal
	switch {
	case errors.As(err, &faults):
		return ofFaults(faults)
	case errors.Is(err, management.ErrRole):
		return &problem{
			status:  http.StatusForbidden,
			Code:    accessFailed,
			Message: "The role of this client does not allow this.",
		}
	case errors.As(err, &higher):
		return &problem{status: http.StatusForbidden, Code: accessFailed, Message: sentence(higher.Error())}
	case errors.As(err, &dependents):
		return ofDependents(dependents)
	case errors.As(err, &rule):
		return &problem{status: http.StatusBadRequest, Code: invalidRequest, Message: rule.Text}
	case errors.Is(err, store.ErrLastOwner):
		return &problem{
			status:  http.StatusConflict,
			Code:    invalidRequest,
			Message: "An environment needs an owner. Make somebody else one first.",
		}
	}
	return nil
}

// sentence makes one of the text of an error.
// Errors begin small and end without a period.
func sentence(text string) string { return strings.ToUpper(text[:1]) + text[1:] + "." }

// ofFaults is the refusal of what may not be kept.
// All of it is 400, but for what others depend on: that is no mistake of the body, and
// is 409.
func ofFaults(l fault.List) *problem {
	p := &problem{
		status:  http.StatusBadRequest,
		Code:    invalidData,
		Message: "The request could not be completed. One or more validation errors were in the request.",
		Details: detailsOf(l),
	}
	if i := slices.IndexFunc(l, func(f fault.Fault) bool { return f.Kind == fault.Depended }); i >= 0 {
		p.status, p.Code, p.Message = http.StatusConflict, invalidRequest, l[i].Message
	}
	return p
}

// ofDependents is the refusal to delete what users depend on, with how many and
// the first of them, or what something names.
func ofDependents(e *management.DependentsError) *problem {
	p := ofNaming(e)
	switch {
	case e.Provider && e.Users+e.Groups > 0:
		p = ofHanging(e)
	case e.Users > 0:
		p = ofUsers(e)
	}
	for _, n := range e.Named {
		p.Details = append(p.Details, detail{hasDependents, n.Kind + "/" + n.ID, n.String()})
	}
	return p
}

// ofNaming is the refusal to delete what only something else names.
func ofNaming(e *management.DependentsError) *problem {
	message := "Other things name it, or what goes with it: see the details. Change those first"
	if !e.Final {
		message += ", or repeat with force=true"
	}
	return &problem{status: http.StatusConflict, Code: invalidRequest, Message: message + "."}
}

// ofUsers is the refusal to delete what users have their passwords checked through.
func ofUsers(e *management.DependentsError) *problem {
	through := fmt.Sprintf("%d users have their password checked through it.", e.Users)
	details := []detail{{hasDependents, "users", through}}
	for _, u := range e.Some {
		details = append(details, detail{hasDependents, "users/" + u.ID, u.Username})
	}
	return &problem{
		status: http.StatusConflict,
		Code:   invalidRequest,
		Message: fmt.Sprintf("%d users depend on it. Move them to another user type, or repeat with force=true: "+
			"they stay then, and cannot sign on until they are linked again.", e.Users),
		Details: details,
	}
}

// ofHanging is the refusal to delete an identity provider that people are linked to, or
// whose groups would go. Those that give a role are named.
func ofHanging(e *management.DependentsError) *problem {
	var details []detail
	if e.Users > 0 {
		linked := fmt.Sprintf("Users linked to it: %d. The links would go.", e.Users)
		details = append(details, detail{hasDependents, "users", linked})
	}
	for _, u := range e.Some {
		details = append(details, detail{hasDependents, "users/" + u.ID, u.Username})
	}
	if e.Groups > 0 {
		brought := fmt.Sprintf("Just-in-time groups of it: %d. They would go.", e.Groups)
		details = append(details, detail{hasDependents, "groups", brought})
	}
	for _, g := range e.Roles {
		gives := fmt.Sprintf("The group %s gives the role %s.", g.Name, g.Role)
		details = append(details, detail{hasDependents, "groups/" + g.GroupID, gives})
	}
	return &problem{
		status: http.StatusConflict,
		Code:   invalidRequest,
		Message: fmt.Sprintf("Users linked to it: %d; just-in-time groups of it: %d, of which %d give a role. "+
			"Repeat with force=true to delete it with the links and the groups. The users stay; "+
			"who has neither a gateway nor another identity provider cannot sign on then.",
			e.Users, e.Groups, len(e.Roles)),
		Details: details,
	}
}

// fail answers with a refusal. What is nobody's fault but ours is logged under
// the ID that the answer has.
// A client that went away is logged by nobody: its context ended, and that is no fault
// of ours.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := asProblem(err)
	if p == nil {
		p = &problem{
			status:  http.StatusInternalServerError,
			Code:    unexpected,
			Message: "The server could not do this. Its log has the reason under this id.",
		}
	}
	p.ID = uuid.NewString()
	nobodys := errors.Is(err, context.Canceled) || errors.Is(err, throttle.ErrFull)
	if p.status >= http.StatusInternalServerError && !nobodys {
		s.log().Error("request failed", "id", p.ID, "method", r.Method, "path", r.URL.Path, "error", err)
	}
	if p.status == http.StatusServiceUnavailable {
		p.status = web.Later(w)
	}
	write(w, p.status, p)
}

// write answers with JSON.
// Nothing is kept by any cache: answers have people's names in them.
func write(w http.ResponseWriter, status int, body any) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if body == nil {
		w.WriteHeader(status)
		return
	}
	h.Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client is gone: nobody to tell
}
