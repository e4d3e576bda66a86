package api

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"

	"ldap-gateway/cloud/management"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/web"
)

// maxBody is the size limit of a request's body in bytes.
// It is far above what a gateway with many user types has, and holds for every path.
const maxBody = 1 << 20

// call is one request of a client to its own environment.
// Its environment is that of the token, so that nothing can be looked up in another.
type call struct {
	*http.Request
	client store.Client
	env    string
	root   string // in front of links
}

// reply is an answer.
// A body of nil sends none, as 204 must.
type reply struct {
	status int
	body   any
}

// ok answers with 200, created with 201, and gone with 204 unless there was an error.
func ok(body any) (reply, error)      { return reply{http.StatusOK, body}, nil }
func created(body any) (reply, error) { return reply{http.StatusCreated, body}, nil }
func gone(err error) (reply, error)   { return reply{status: http.StatusNoContent}, err }

// by says who makes a change.
// The role in it is that of the token; management looks again within its transaction.
// The request's ID is the one that the log has.
func (c *call) by() management.By {
	return management.By{
		Environment: c.env,
		Kind:        management.Program,
		ID:          c.client.ID,
		Name:        c.client.Name,
		Role:        c.client.Role,
		Address:     web.Address(c.Request),
		Request:     c.Header.Get("X-Request-Id"),
	}
}

// authorised lets a request through to e when its token is good for the
// environment in its path, and the client's role for the action.
// The order is that of doc.go, so that who may not come in learns nothing of what is
// there: a path of another environment is 403 whether it exists or not.
// Where the token is not good the scheme is named (RFC 6750 section 3).
func (s *Server) authorised(a management.Action, e endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		client, err := s.bearer(r)
		if err != nil {
			var p *problem
			if errors.As(err, &p) {
				w.Header().Set("WWW-Authenticate", `Bearer realm="ldap-cloud", error="invalid_token"`)
			}
			s.fail(w, r, err)
			return
		}
		c, err := s.open(r, client)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		client = c.client
		// A request that is refused for its role counts as well.
		err = s.allow(w, client.ID)
		if err == nil && !management.May(client.Role, a) {
			err = management.ErrRole
		}
		var answer reply
		if err == nil {
			answer, err = e(c)
		}
		if err != nil {
			s.fail(w, r, err)
			return
		}
		s.respond(w, r, answer)
	})
}

// open returns the call of a client in the environment that its path names: its own, or
// one that owners of its own have made. Any other is store.ErrNotFound where it is read
// itself, since clients wait for that after they have deleted one, and 403 elsewhere.
func (s *Server) open(r *http.Request, client store.Client) (*call, error) {
	c := &call{Request: r, client: client, env: client.EnvironmentID, root: s.URL}
	named := r.PathValue("e")
	if named == "" || named == client.EnvironmentID {
		return c, nil
	}
	there, err := s.Store.ClientIn(r.Context(), named, client.ID)
	itself := r.Method == http.MethodGet && r.URL.Path == "/v1/environments/"+named
	if errors.Is(err, store.ErrNotFound) && !itself {
		err = &problem{
			status:  http.StatusForbidden,
			Code:    accessFailed,
			Message: "This access token is not for this environment.",
		}
	}
	c.env, c.client = named, there
	return c, err
}

// respond answers with what an endpoint returned. What is read has a validator,
// and is not sent to who has it already.
// The validator is of the whole body, so it changes whenever anything shown does,
// counts and times of sign-ons among it. That is what If-Match is held against.
func (s *Server) respond(w http.ResponseWriter, r *http.Request, answer reply) {
	if r.Method != http.MethodGet {
		write(w, answer.status, answer.body)
		return
	}
	body, err := json.Marshal(answer.body)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	etag := etagOf(body)
	w.Header().Set("ETag", etag)
	if matches(r.Header.Get("If-None-Match"), etag) {
		write(w, http.StatusNotModified, nil)
		return
	}
	write(w, answer.status, json.RawMessage(body))
}

// bearer returns whose token a request has.
// Tokens are compared by their hash in the database, so that no comparison takes longer
// the more of it is right. The scheme is read without regard to case (RFC 9110 section
// 11.1).
func (s *Server) bearer(r *http.Request) (store.Client, error) {
	denied := &problem{
		status:  http.StatusUnauthorized,
		Code:    accessFailed,
		Message: "The request needs an access token that has not expired.",
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return store.Client{}, denied
	}
	hash := sha256.Sum256([]byte(strings.TrimSpace(token)))
	client, err := s.Store.Current.TokenClient(r.Context(), hash[:], s.now())
	if errors.Is(err, store.ErrNotFound) {
		return store.Client{}, denied
	}
	return client, err
}

// read decodes the body into v, a pointer to a struct. What is not in the body
// stays as it is in v.
// The error is a *problem: the media type, the size, what is no JSON, or a property by
// its path.
func (c *call) read(v any) error {
	b, err := c.body()
	if err != nil {
		return err
	}
	defer clear(b) // it may have a person's password
	return decode(b, v)
}

// kind is the media type of the body; empty when it is none.
func (c *call) kind() string {
	kind, _, err := mime.ParseMediaType(c.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return kind
}

// raw reads a body that is no JSON.
// It is bounded like every body, and read into memory whole.
func (c *call) raw() ([]byte, error) {
	b, err := io.ReadAll(c.Body)
	if err != nil {
		return nil, unread(err)
	}
	return b, nil
}

// body reads the body whole, to be decoded on top of what there is then.
// Types such as application/merge-patch+json are taken for what they are: JSON. Every
// other is 415.
func (c *call) body() ([]byte, error) {
	kind, _, err := mime.ParseMediaType(c.Header.Get("Content-Type"))
	extended := strings.HasPrefix(kind, "application/") && strings.HasSuffix(kind, "+json")
	if err != nil || kind != "application/json" && !extended {
		return nil, refused(http.StatusUnsupportedMediaType, "The body must be application/json.")
	}
	return c.raw()
}

// unread is 413 for a body that is too large, and 400 for one that ended early.
func unread(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return refused(http.StatusRequestEntityTooLarge, "The body must not be larger than "+strconv.Itoa(maxBody)+" bytes.")
	}
	return refused(http.StatusBadRequest, "The body ended early.")
}

// decode reads one JSON object. Its errors name the property.
// A property that is not known is refused, and so is one of the wrong type, by its path,
// as in "userTypes[0].name".
func decode(b []byte, v any) error {
	body, err := decodeBody(b, v)
	return cmp.Or(err, checkKnown(body, v))
}

// decodeLoosely passes over what is not known, for a body that is read in parts.
func decodeLoosely(b []byte, v any) error {
	_, err := decodeBody(b, v)
	return err
}

// decodeBody is decodeLoosely that also returns what there was to read.
func decodeBody(b []byte, v any) (body map[string]any, err error) {
	if trimmed := bytes.TrimLeft(b, " \t\r\n"); len(trimmed) == 0 || trimmed[0] != '{' {
		return nil, refused(http.StatusBadRequest, "The body must be a JSON object.")
	}
	err = json.Unmarshal(b, &body)
	if err == nil {
		if wrongs := mistyped(body, reflect.TypeOf(v), ""); len(wrongs) > 0 {
			return nil, invalid(wrongs...)
		}
		err = json.Unmarshal(b, v)
	}
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return nil, refused(http.StatusBadRequest, "The body is no JSON: byte "+strconv.FormatInt(syntax.Offset, 10)+".")
	case err != nil:
		return nil, refused(http.StatusBadRequest, "The body cannot be read.")
	}
	return body, readNulls(b, v)
}

// page reads limit and cursor.
// More than MaxLimit is taken for MaxLimit, so that a client which asks for all gets
// pages and no refusal. Fields are what the list can be searched by; none: it reads its
// filter itself.
func (c *call) page(fields ...string) (p store.Page, err error) {
	if len(fields) > 0 {
		if p.Where, err = parseFilter(c.query("filter"), fields...); err != nil {
			return p, err
		}
	}
	p.Cursor = c.query("cursor")
	limit := c.query("limit")
	if limit == "" {
		return p, nil
	}
	n, err := strconv.Atoi(limit)
	if err != nil || n < 1 {
		return p, invalid(wrong("limit", "It must be a number from 1 to %d.", store.MaxLimit))
	}
	p.Limit = min(n, store.MaxLimit)
	return p, nil
}

// forced tells whether the request says force=true.
// Whatever else it says is no.
func (c *call) forced() bool { return strings.EqualFold(c.query("force"), "true") }

// asks tells whether a comma-separated parameter has the word.
// Words that are not known are passed over, as include=all of another product is.
func (c *call) asks(parameter, word string) bool {
	for w := range strings.SplitSeq(c.query(parameter), ",") {
		if strings.EqualFold(strings.TrimSpace(w), word) {
			return true
		}
	}
	return false
}

// link is a place to go to.
type link struct {
	Href string `json:"href"`
}

// links are those of one resource, by their relation; self is always there.
type links map[string]link

// at returns the link to a path below the environment, in parts.
// Each part is escaped, so that no ID leads to another path.
func (c *call) at(parts ...string) link {
	href := c.root + "/v1/environments/" + c.env
	for _, p := range parts {
		href += "/" + url.PathEscape(p)
	}
	return link{href}
}

// self returns links with the one to the resource itself.
func (c *call) self(parts ...string) links { return links{"self": c.at(parts...)} }

// collection is a list as the API shows it.
// Count and size are both of this page: how many there are in all would take a look at
// all of them.
type collection struct {
	Links    links          `json:"_links"`
	Embedded map[string]any `json:"_embedded"`
	Count    int            `json:"count"`
	Size     int            `json:"size"`
}

// listed makes a list of resources named name; next is the cursor of what follows.
// A list without a next page has no _links.next, and that alone says so: a page may be
// full and be the last.
func listed[From, To any](c *call, name string, items []From, next string, show func(From) To) (reply, error) {
	shown := make([]To, 0, len(items))
	for _, i := range items {
		shown = append(shown, show(i))
	}
	// It is the address as it was asked for, with filter and cursor.
	l := links{"self": {c.root + c.URL.RequestURI()}}
	if next != "" {
		q := c.URL.Query()
		q.Set("cursor", next)
		l["next"] = link{c.root + c.URL.Path + "?" + q.Encode()}
	}
	return ok(collection{Links: l, Embedded: map[string]any{name: shown}, Count: len(shown), Size: len(shown)})
}

// query returns a parameter of the URL; empty when it is not there.
// Of one that is there twice it is the first.
func (c *call) query(name string) string { return c.URL.Query().Get(name) }
