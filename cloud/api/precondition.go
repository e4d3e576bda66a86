package api

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
)

// etagOf returns the strong validator of an answer (RFC 9110 section 8.8.3).
// 120 bits of the hash are plenty: nobody gains by two bodies of one validator.
func etagOf(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:15]) + `"`
}

// matches tells whether a list of validators, as If-Match and If-None-Match have
// it, names one.
// A weak validator counts as its strong one: there is one form of each body here, so
// both say the same.
func matches(list, etag string) bool {
	for one := range strings.SplitSeq(list, ",") {
		if one = strings.TrimSpace(one); one == "*" || strings.TrimPrefix(one, "W/") == etag {
			return true
		}
	}
	return false
}

// conditional refuses an If-Match that nothing here could obey, before anything is
// done: a client that sends it must not believe that it was looked at. Readable tells
// whether a GET of the same path answers with a validator.
// It is done before the Idempotency-Key is looked at, so that a refusal is never kept
// as an answer.
func (c *call) conditional(readable bool) error {
	switch {
	case c.Header.Get("If-Match") == "":
		return nil
	case c.Method == http.MethodPost:
		return invalid(wrong("If-Match", "A POST is not made on top of what was read: leave If-Match out."))
	case !readable:
		return refused(http.StatusBadRequest, "This resource cannot be read, so If-Match says nothing of it.",
			wrong("If-Match", "There is no validator that it could name: leave it out."))
	}
	return nil
}

// fresh refuses a write whose If-Match does not name a resource as it is now: body
// is what reading it would answer. It is called within the change, so nobody comes
// between.
// It must be called within the change, as the first thing: then what is compared is
// what is changed, over all nodes.
func (c *call) fresh(body any) error {
	want := c.Header.Get("If-Match")
	if want == "" {
		return nil
	}
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	if !matches(want, etagOf(b)) {
		return refused(http.StatusPreconditionFailed, "It has changed since it was read. Read it again, and repeat.")
	}
	return nil
}
