package relying

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"ldap-gateway/cloud/evidence"
)

// CoolDown is how long keys are not read again after reading them brought nothing;
// pause how long after they could not be read. Reading takes no longer than readTime.
const (
	CoolDown = 30 * time.Second
	pause    = 3 * time.Second
	readTime = 10 * time.Second
)

// The bounds of how long keys are good without being read again, whatever the provider
// says (Cache-Control), and how long it waits after that was vain. What it takes out of
// its list is worth something no longer than that.
const (
	ShortestUse = 5 * time.Minute
	LongestUse  = 24 * time.Hour
	retryUse    = 5 * time.Minute
)

// mostBody bounds what is read of any answer, in bytes.
const mostBody = 4 << 20

// Keys are those that one provider signs with. Safe for concurrent use.
// What is known stays in use while they cannot be read.
type Keys struct {
	address string
	client  *http.Client
	now     func() time.Time

	reading sync.Mutex // held while they are read; who has a known key does not wait

	mu     sync.Mutex
	known  []jose.JSONWebKey
	until  time.Time // they are good without being read again
	read   int       // how often they were
	vainly time.Time // when reading last brought nothing
	failed time.Time // when they could last not be read
	why    error
}

var _ gooidc.KeySet = (*Keys)(nil)

// NewKeys returns the keys at an address, which nobody has read yet.
// The first answer has them read.
func NewKeys(address string, client *http.Client, now func() time.Time) *Keys {
	return &Keys{address: address, client: client, now: now}
}

// VerifySignature returns the payload of a signed text. Its error is an
// *evidence.Refusal.
// A key that is not known may be new: then they are read, and it is tried once more, unless
// those are the same.
func (k *Keys) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	signed, err := parse(jwt)
	if err != nil {
		return nil, err
	}
	k.refresh(ctx)
	known := k.all()
	payload, refused := verify(ctx, signed, known)
	if refused == nil {
		return payload, nil
	}
	fresh, err := k.renew(ctx, signed.Signatures[0].Header.KeyID)
	if err != nil {
		return nil, err
	}
	if reflect.DeepEqual(known, fresh) {
		return nil, refused
	}
	return verify(ctx, signed, fresh)
}

// refresh reads keys anew that have been known for long. One answer waits for it, and
// those that come meanwhile do not; keys that cannot be read stay in use.
func (k *Keys) refresh(ctx context.Context) {
	if !k.old() || !k.reading.TryLock() {
		return
	}
	defer k.reading.Unlock()
	if !k.old() {
		return
	}
	fresh, good, err := k.fetch(ctx)
	k.mu.Lock()
	defer k.mu.Unlock()
	if err != nil {
		k.until = k.now().Add(retryUse)
		return
	}
	k.read++
	k.known, k.until, k.failed = fresh, k.now().Add(good), time.Time{}
}

// old tells whether there are keys that have been known for long.
func (k *Keys) old() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.known) > 0 && !k.now().Before(k.until)
}

// all returns a list that is never changed in place, so that it is read without the
// lock.
func (k *Keys) all() []jose.JSONWebKey {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.known
}

// renew reads the keys for one that is not known, once for all who wait; while that was
// vain lately, it returns those that are. Whoever leaves meanwhile stops nobody else's.
func (k *Keys) renew(ctx context.Context, id string) ([]jose.JSONWebKey, error) {
	before := k.count()
	k.reading.Lock()
	defer k.reading.Unlock()
	if keys, enough, err := k.lately(before); enough {
		return keys, err
	}
	fresh, good, err := k.fetch(ctx)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.read++
	if err != nil {
		k.failed = k.now()
		k.why = &evidence.Refusal{Kind: evidence.Unavailable, Detail: "the keys cannot be read", Cause: err}
		return nil, k.why
	}
	if !holds(fresh, id) || reflect.DeepEqual(k.known, fresh) {
		k.vainly = k.now()
	}
	k.known, k.until, k.failed = fresh, k.now().Add(good), time.Time{}
	return fresh, nil
}

// count is how often they were read, which tells who has waited from who comes anew.
func (k *Keys) count() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.read
}

// lately returns what reading brought since they had been read so often, or so short a
// time ago that they are not read again.
// That they could not be read is told again for a while, so that not everybody who
// waits asks anew.
func (k *Keys) lately(often int) (keys []jose.JSONWebKey, enough bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch now := k.now(); {
	case !k.failed.IsZero() && (k.read > often || now.Sub(k.failed) < pause):
		return nil, true, k.why
	case k.read > often, now.Sub(k.vainly) < CoolDown:
		return k.known, true, nil
	}
	return nil, false, nil
}

// fetch reads the keys at the address, and how long they are good. One that is not
// understood is left out. Whoever leaves meanwhile stops nobody else's.
// A set without any key that signs, or of more than MostRead, is an error, and those that
// are known stay.
func (k *Keys) fetch(ctx context.Context) (keys []jose.JSONWebKey, good time.Duration, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readTime)
	defer cancel()
	body, header, err := get(ctx, k.client, k.address, "")
	if err != nil {
		return nil, 0, err
	}
	keys, err = readSet(body)
	return keys, use(header), err
}

// use is how long keys are good that came with a header (RFC 9111 section 5.2.2), within
// the bounds; the longest when it says nothing.
func use(header http.Header) time.Duration {
	good := LongestUse
	for _, line := range header.Values("Cache-Control") {
		for directive := range strings.SplitSeq(line, ",") {
			name, value, _ := strings.Cut(strings.ToLower(strings.TrimSpace(directive)), "=")
			switch name {
			case "no-store", "no-cache":
				good = 0
			case "max-age":
				if n, err := strconv.ParseUint(strings.Trim(value, `"`), 10, 31); err == nil {
					good = min(good, time.Duration(n)*time.Second)
				}
			}
		}
	}
	return max(good, ShortestUse)
}

// Check reads the keys and returns how many sign.
// It is asked by an administrator, and neither remembers what it read nor waits for
// anybody.
func (k *Keys) Check(ctx context.Context) (int, error) {
	keys, _, err := k.fetch(ctx)
	return len(keys), err
}

// get returns the body at an address and its header.
// A status other than 200 is an error. No body is in any error.
func get(ctx context.Context, client *http.Client, address, token string) (body []byte, header http.Header, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, nil, err
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := client.Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer answer.Body.Close()
	body, err = io.ReadAll(io.LimitReader(answer.Body, mostBody+1))
	switch {
	case err != nil:
		return nil, nil, err
	case len(body) > mostBody:
		return nil, nil, fmt.Errorf("the answer has more than %d bytes", mostBody)
	case answer.StatusCode != http.StatusOK:
		return nil, nil, fmt.Errorf("the answer has status %d", answer.StatusCode)
	}
	return body, answer.Header, nil
}
