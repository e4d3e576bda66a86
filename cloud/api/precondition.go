package api

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"hash/maphash"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

// etagOf returns the strong validator of an answer (RFC 9110 section 8.8.3).
func etagOf(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:15]) + `"`
}

// matches tells whether a list of validators, as If-Match and If-None-Match have
// it, names one.
func matches(list, etag string) bool {
	for one := range strings.SplitSeq(list, ",") {
		if one = strings.TrimSpace(one); one == "*" || strings.TrimPrefix(one, "W/") == etag {
			return true
		}
	}
	return false
}

// turns has writers of one resource go one after the other, so that none comes
// between another's comparison and its write. It does so on this node.
type turns struct {
	seed  maphash.Seed
	locks [64]sync.Mutex
}

func (t *turns) of(path string) *sync.Mutex {
	return &t.locks[maphash.String(t.seed, path)%uint64(len(t.locks))]
}

// unchanged refuses a write whose If-Match does not name the resource as it is
// now, and calls do otherwise.
func (s *Server) unchanged(c *call, get, do endpoint) (reply, error) {
	want := c.Header.Get("If-Match")
	if want == "" || c.Method == http.MethodGet || c.Method == http.MethodPost {
		return do(c)
	}
	if get == nil {
		return reply{}, refused(http.StatusBadRequest, "This resource cannot be read, so If-Match says nothing of it.")
	}
	lock := s.turns.of(c.URL.Path)
	lock.Lock()
	defer lock.Unlock()
	reading := *c
	reading.Request = c.Clone(c.Context())
	reading.Request.URL = &url.URL{Path: c.URL.Path}
	now, err := get(&reading)
	if err != nil {
		return reply{}, err
	}
	body, err := json.Marshal(now.body)
	if err != nil {
		return reply{}, err
	}
	if !matches(want, etagOf(body)) {
		return reply{}, refused(http.StatusPreconditionFailed, "It has changed since it was read. Read it again, and repeat.")
	}
	return do(c)
}
