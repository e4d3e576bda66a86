package cloud

import (
	"database/sql"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"ldap-gateway/cloudlink/wire"
)

// floods is how many requests the flood makes.
var floods = flag.Int("floods", 3000, "requests of strangers in TestFloodOfStrangers")

// stranger is a request that needs no credential; i tells one from the next.
type stranger struct {
	method, path string
	form         func(i int) url.Values // nil: no body
}

// strangers are requests to everything that answers whoever asks.
func (s *siege) strangers() []stranger {
	env := "/" + s.api.Environment
	form := func(pairs ...string) func(int) url.Values {
		return func(i int) url.Values {
			v := url.Values{}
			for j := 0; j < len(pairs); j += 2 {
				v.Set(pairs[j], strings.ReplaceAll(pairs[j+1], "#", fmt.Sprint(i)))
			}
			return v
		}
	}
	long := strings.Repeat("x", 20_000)
	return []stranger{
		{"POST", env + "/signon", form("username", "nobody-#", "password", "guess")},
		{"POST", env + "/signon", form("username", "alice", "password", "guess")},
		{"POST", env + "/signon/password", form("username", "nobody-#", "old", "guess", "new", "x", "again", "x")},
		{"POST", env + "/signon/off", form()},
		{"POST", env + "/signon/next", form("username", "nobody-#")},
		{"POST", env + "/saml20/sp/acs", form("SAMLResponse", "AAAA", "RelayState", "#")},
		{"GET", env + "/saml20/idp/sso?SAMLRequest=AAAA&RelayState=" + long, nil},
		{"POST", env + "/saml20/idp/sso", form("SAMLRequest", long, "RelayState", "#")},
		{"GET", env + "/saml20/idp/startsso?spEntityId=" + long, nil},
		{"POST", env + "/saml20/idp/slo", form("SAMLRequest", "AAAA", "RelayState", "#")},
		{"POST", env + "/saml20/idp/slo", form("SAMLResponse", "AAAA")},
		{"GET", env + "/saml20/idp/off?s=" + long, nil},
		{"GET", env + "/saml20/resume?flow=saml.none", nil},
		{"GET", env + "/saml20/metadata", nil},
		{"GET", env + "/rp/callback/openid_connect?code=x&state=y", nil},
		{"GET", env + "/as/authorize?client_id=none&response_type=code&scope=openid&state=" + long, nil},
		{"POST", env + "/as/token", form("grant_type", "client_credentials", "client_id", "#", "client_secret", "x")},
		{"POST", env + "/as/token", form("grant_type", "authorization_code", "code", "#")},
		{"POST", env + "/as/introspect", form("token", "#")},
		{"GET", env + "/as/userinfo", nil},
		{"GET", "/v1" + "/environments/none/users", nil},
		{"GET", "/nowhere/signon", nil},
		{"POST", "/console/sign-in", form("name", "nobody-#", "password", "guess")},
		{"POST", "/console/sign-in/passkey/options", form()},
		{"POST", "/console/setup", form("name", "admin", "secret", "#", "password", long, "again", long)},
		{"GET", "/console/users", nil},
		{"POST", wire.PathPair, form("x", "#")},
		{"POST", wire.PathShow, form("x", "#")},
		{"POST", wire.PathAwait, form("x", "#")},
		{"GET", wire.PathConnect, nil},
		{"GET", wire.PathStatus, nil},
	}
}

// size is how many bytes the database takes on the disk, once what waits in its journal is
// in its place.
func (s *siege) size(t *testing.T) (bytes int64) {
	t.Helper()
	file := InFolder(s.data)
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(5000)")
	must(t, err)
	defer db.Close()
	_, err = db.ExecContext(t.Context(), `PRAGMA wal_checkpoint(TRUNCATE)`)
	must(t, err)
	info, err := os.Stat(file)
	must(t, err)
	return info.Size()
}

// TestFloodOfStrangers: what requests without a credential make, all kinds of them in turn,
// stays small, and who has an account signs on meanwhile and afterwards.
func TestFloodOfStrangers(t *testing.T) {
	s := startSiege(t)
	s.stands(t)
	before, all := s.size(t), s.strangers()
	client := &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: 8},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	var workers sync.WaitGroup
	for w := range 8 {
		workers.Go(func() {
			for i := w; i < *floods; i += 8 {
				if err := all[i%len(all)].send(client, s.url, i); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	workers.Wait()
	grown := s.size(t) - before
	t.Logf("%d requests made the database grow by %d bytes", *floods, grown)
	if grown > 1<<20 {
		t.Errorf("%d requests of strangers made the database grow by %d bytes", *floods, grown)
	}
	s.stands(t)
}

// send makes the request, and reads the answer.
func (r stranger) send(client *http.Client, base string, i int) error {
	var body io.Reader
	if r.form != nil {
		body = strings.NewReader(r.form(i).Encode())
	}
	req, err := http.NewRequest(r.method, base+r.path, body)
	if err != nil {
		return err
	}
	if r.form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}
