package api

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"io"
	"net/http"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/vault"
)

// secretPaths are what answers with a secret, which is told once and never kept.
// Of these a second request is 409 and not the first answer: whoever repeats it makes
// another secret, and takes this one back.
var secretPaths = map[string]bool{
	"/{e}/gateways/{g}/pairings":     true,
	"/{e}/gateways/{g}/credentials":  true,
	"/{e}/applications/{a}/secret":   true,
	"/{e}/administrators":            true,
	"/{e}/administrators/{id}/reset": true,
}

// maxKey bounds an Idempotency-Key, in bytes.
const maxKey = 255

// once does a POST with an Idempotency-Key once, however often it comes
// (draft-ietf-httpapi-idempotency-key-header-07): the same request under the same
// key gets the same answer for a day.
// An error is no answer, so the request may come again under the same key. The key is
// the client's own: two clients may have the same.
func (s *Server) once(c *call, path string, e endpoint) (reply, error) {
	key := c.Header.Get("Idempotency-Key")
	if c.Method != http.MethodPost || key == "" {
		return e(c)
	}
	if len(key) > maxKey {
		return reply{}, invalid(wrong("Idempotency-Key", "It must be at most %d bytes.", maxKey))
	}
	body, err := io.ReadAll(c.Body)
	if err != nil {
		return reply{}, unread(err)
	}
	defer clear(body) // it may have a person's password
	c.Body = io.NopCloser(bytes.NewReader(body))
	o := store.IdempotentRequest{
		EnvironmentID: c.client.EnvironmentID,
		ClientID:      c.client.ID,
		KeyHash:       vault.HashSecret(key),
		Request:       requestHash(key, c, body),
	}
	before, err := s.Store.BeginRequest(c.Context(), o)
	if err != nil {
		return reply{}, err
	}
	if before != nil {
		return again(*before, o)
	}
	answer, err := e(c)
	if err == nil {
		o.Status = answer.status
		if !secretPaths[path] {
			o.Body, err = json.Marshal(answer.body)
		}
	}
	// It is kept also when the client has gone: it comes again to ask what became of
	// it.
	if failed := s.Store.EndRequest(context.WithoutCancel(c.Context()), o); failed != nil {
		s.log().Error("the answer to a request was not kept for its Idempotency-Key", "error", failed)
	}
	return answer, err
}

// requestHash tells one request from another. It is keyed by what only the client
// knows, so that a password in it cannot be guessed from the database.
func requestHash(key string, c *call, body []byte) []byte {
	h := hmac.New(sha256.New, []byte(key))
	_, _ = h.Write([]byte(c.Method + " " + c.URL.RequestURI() + "\n")) // never fails
	_, _ = h.Write(body)
	return h.Sum(nil)
}

// again answers a request that came before.
// 422 for another request, 409 for one that is under way or was cut off, both as the
// draft has them.
func again(before, now store.IdempotentRequest) (reply, error) {
	switch {
	case !hmac.Equal(before.Request, now.Request):
		return reply{}, refused(http.StatusUnprocessableEntity, "This Idempotency-Key was used for another request.")
	case before.Status == 0:
		return reply{}, refused(
			http.StatusConflict,
			"The first request with this Idempotency-Key is still under way, or was cut off. Look whether it was done.",
		)
	case len(before.Body) == 0:
		return reply{}, refused(http.StatusConflict, "This was done already, and its secret is told only once. Make another.")
	case string(before.Body) == "null":
		return reply{status: before.Status}, nil // there was no body, and 204 must have none
	}
	return reply{before.Status, json.RawMessage(before.Body)}, nil
}
