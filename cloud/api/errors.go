package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/google/uuid"

	"ldap-gateway/cloud/store"
)

// The codes of refusals.
const (
	invalidData    = "INVALID_DATA"
	invalidRequest = "INVALID_REQUEST"
	notFound       = "NOT_FOUND"
	accessFailed   = "ACCESS_FAILED"
	requestLimited = "REQUEST_LIMITED"
	unexpected     = "UNEXPECTED_ERROR"
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
type detail struct {
	Code    string `json:"code"`
	Target  string `json:"target,omitempty"` // the property, as in "userTypes[0].searchBaseDn"
	Message string `json:"message"`
}

// problem is a refusal.
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
	return &problem{status: http.StatusBadRequest, Code: invalidData,
		Message: "The request could not be completed. One or more validation errors were in the request.", Details: details}
}

// wrong is a detail of a value that cannot be.
func wrong(target, format string, args ...any) detail {
	return detail{invalidValue, target, fmt.Sprintf(format, args...)}
}

// missing is a detail of a value that must be.
func missing(target string) detail {
	return detail{requiredValue, target, target + " must be given."}
}

// taken makes store.ErrConflict a refusal that names the property.
func taken(err error, target string) error {
	if errors.Is(err, store.ErrConflict) {
		return invalid(detail{notUnique, target, "This " + target + " is taken."})
	}
	return err
}

// absent makes store.ErrNotFound, in a write that refers to something, a
// refusal that names the property.
func absent(err error, target, message string) error {
	if errors.Is(err, store.ErrNotFound) {
		return invalid(wrong(target, "%s", message))
	}
	return err
}

// refused is a request that is well formed and against the rules.
func refused(status int, message string, details ...detail) error {
	return &problem{status: status, Code: invalidRequest, Message: message, Details: details}
}

// asProblem finds the refusal for an error of the store.
func asProblem(err error) *problem {
	var p *problem
	switch {
	case errors.As(err, &p):
		copied := *p
		return &copied
	case errors.Is(err, store.ErrNotFound):
		return &problem{status: http.StatusNotFound, Code: notFound, Message: "There is no such resource in this environment."}
	case errors.Is(err, store.ErrConflict):
		return &problem{status: http.StatusBadRequest, Code: invalidData, Message: "It exists already.", Details: []detail{{Code: notUnique, Message: "It exists already."}}}
	case errors.Is(err, store.ErrDependents):
		return &problem{status: http.StatusConflict, Code: invalidRequest, Message: "It cannot be removed: " + err.Error() + "."}
	case errors.Is(err, store.ErrStale):
		return &problem{status: http.StatusConflict, Code: invalidRequest, Message: "Somebody else changed it meanwhile. Read it again, and repeat."}
	case errors.Is(err, store.ErrCursor):
		return &problem{status: http.StatusBadRequest, Code: invalidRequest, Message: "Start the list anew, without a cursor.",
			Details: []detail{wrong("cursor", "This is not a cursor of this list.")}}
	}
	return nil
}

// fail answers with a refusal. What is nobody's fault but ours is logged under
// the ID that the answer has.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := asProblem(err)
	if p == nil {
		p = &problem{status: http.StatusInternalServerError, Code: unexpected, Message: "The server could not do this. Its log has the reason under this id."}
	}
	p.ID = uuid.NewString()
	if p.status >= http.StatusInternalServerError && !errors.Is(err, context.Canceled) {
		s.log().Error("request failed", "id", p.ID, "method", r.Method, "path", r.URL.Path, "error", err)
	}
	write(w, p.status, p)
}

// write answers with JSON.
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
