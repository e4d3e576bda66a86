// Package client owns the program's side of the REST API: it gets a token with
// client credentials, keeps it, and turns refusals into typed errors.
//
// Called by demo and e2e. It knows the form of requests, answers and errors, and
// no resource. It never tries a request again.
package client

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Client speaks for one API client in one environment. Safe for concurrent use.
// A token is asked for with the first request and kept until a minute before its end;
// who changes ID or Secret makes another Client.
type Client struct {
	URL         string // of the cloud, without a trailing slash
	Environment string
	Within      string // environment that paths are of; empty: the client's own
	ID, Secret  string
	HTTP        *http.Client // nil: http.DefaultClient

	mu    sync.Mutex
	token string
	until time.Time
}

// Error is a refusal of the API.
type Error struct {
	Status  int      `json:"-"`
	Code    string   `json:"code"`
	Message string   `json:"message"`
	Details []Detail `json:"details"`
	// Inner says more of some refusals, such as the outcome of a password change.
	Inner map[string]string `json:"innerError"`
}

// Detail is one thing that is wrong, and where.
type Detail struct {
	Code    string `json:"code"`
	Target  string `json:"target"`
	Message string `json:"message"`
}

// Error returns the message with its details.
func (e *Error) Error() string {
	text := fmt.Sprintf("%d %s: %s", e.Status, e.Code, e.Message)
	for _, d := range e.Details {
		text += "\n  " + strings.TrimPrefix(d.Target+": "+d.Message, ": ")
	}
	return text
}

// Do makes one request. path is below the environment, as in "/groups"; in is
// sent as JSON unless it is nil, and the answer is decoded into out unless that
// is nil. A refusal is an *Error.
// It is tried once: whether a request may be repeated only the caller knows. The
// context bounds all of it, the token too.
func (c *Client) Do(ctx context.Context, method, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	if in == nil {
		body = nil
	}
	return c.send(ctx, method, path, "application/json", body, out)
}

// Post is Do for a body of another media type.
func (c *Client) Post(ctx context.Context, path, kind string, body []byte, out any) error {
	return c.send(ctx, http.MethodPost, path, kind, body, out)
}

func (c *Client) send(ctx context.Context, method, path, kind string, body []byte, out any) error {
	token, err := c.bearer(ctx)
	if err != nil {
		return err
	}
	address := c.URL + "/v1/environments/" + cmp.Or(c.Within, c.Environment) + path
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", kind)
	return c.exchange(req, out)
}

// bearer returns a token that is good for a while yet.
// One at a time asks, and the others wait for its token.
func (c *Client) bearer(ctx context.Context) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Now().Before(c.until) {
		return c.token, nil
	}
	form := strings.NewReader(url.Values{"grant_type": {"client_credentials"}}.Encode())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL+"/"+c.Environment+"/as/token", form)
	if err != nil {
		return "", err
	}
	req.SetBasicAuth(c.ID, c.Secret)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	var answer struct {
		Token   string `json:"access_token"`
		Seconds int    `json:"expires_in"`
	}
	if err := c.exchange(req, &answer); err != nil {
		return "", fmt.Errorf("token: %w", err)
	}
	c.token, c.until = answer.Token, time.Now().Add(time.Duration(answer.Seconds)*time.Second-time.Minute)
	return c.token, nil
}

// exchange makes one request. An answer that is no 2xx is an *Error, with the whole
// body as its message when it is not of the API: a proxy may have answered.
func (c *Client) exchange(req *http.Request, out any) error {
	h := c.HTTP
	if h == nil {
		h = http.DefaultClient
	}
	resp, err := h.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<20))
	if err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		refusal := &Error{Status: resp.StatusCode}
		if json.Unmarshal(body, refusal) != nil || refusal.Message == "" {
			refusal.Message = strings.TrimSpace(string(body))
		}
		return refusal
	}
	if out == nil || len(body) == 0 {
		return nil
	}
	return json.Unmarshal(body, out)
}
