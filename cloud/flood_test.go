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
	"time"

	"ldap-gateway/cloud/throttle"
	"ldap-gateway/cloudlink/wire"
)

// floods is how many requests the flood makes.
var floods = flag.Int("floods", 3000, "requests of strangers in TestFloodOfStrangers")

// stranger is a request that needs no credential; i tells one from the next.
type stranger struct {
	method, path string
	form         func(i int) url.Values // nil: no body
	want         int                    // status; 0: any
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
	long, app := strings.Repeat("x", 20_000), s.application()
	state := "#" + strings.Repeat("abcdefgh", 150)
	wish := []string{
		"client_id", app, "redirect_uri", redirect, "response_type", "code", "scope", "openid", "state", state,
		"code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method", "S256",
	}
	asked := strings.ReplaceAll(form(wish...)(0).Encode(), "state=0", "state=#")
	return []stranger{
		{"GET", env + "/as/authorize?" + asked, nil, 302},
		{"POST", env + "/as/authorize", form(wish...), 302},
		{"POST", env + "/as/par", form(wish...), 201},
		{"GET", env + "/saml20/idp/startsso?spEntityId=" + entity, nil, 303},
		{"GET", env + "/signon?flow=#", nil, 0},
		{"POST", env + "/signon", form("username", "nobody-#", "password", "guess"), 0},
		{"POST", env + "/signon", form("username", "bob", "password", "guess"), 0},
		{"POST", env + "/signon/password", form("username", "nobody-#", "old", "guess", "new", "x", "again", "x"), 0},
		{"POST", env + "/signon/off", form(), 0},
		{"POST", env + "/signon/next", form("username", "nobody-#"), 0},
		{"POST", env + "/saml20/sp/acs", form("SAMLResponse", "AAAA", "RelayState", "#"), 0},
		{"GET", env + "/saml20/idp/sso?SAMLRequest=AAAA&RelayState=" + long, nil, 0},
		{"POST", env + "/saml20/idp/sso", form("SAMLRequest", long, "RelayState", "#"), 0},
		{"GET", env + "/saml20/idp/startsso?spEntityId=" + long, nil, 0},
		{"POST", env + "/saml20/idp/slo", form("SAMLRequest", "AAAA", "RelayState", "#"), 0},
		{"POST", env + "/saml20/idp/slo", form("SAMLResponse", "AAAA"), 0},
		{"GET", env + "/saml20/idp/off?s=" + long, nil, 0},
		{"GET", env + "/saml20/resume?flow=saml.none", nil, 0},
		{"GET", env + "/saml20/metadata", nil, 0},
		{"GET", env + "/rp/callback/openid_connect?code=x&state=y", nil, 0},
		{"GET", env + "/as/authorize?client_id=none&response_type=code&scope=openid&state=" + long, nil, 0},
		{"POST", env + "/as/token", form("grant_type", "client_credentials", "client_id", "#", "client_secret", "x"), 0},
		{"POST", env + "/as/token", form("grant_type", "authorization_code", "code", "#"), 0},
		{"POST", env + "/as/introspect", form("token", "#"), 0},
		{"GET", env + "/as/userinfo", nil, 0},
		{"GET", "/v1" + "/environments/none/users", nil, 0},
		{"GET", "/nowhere/signon", nil, 0},
		{"POST", "/console/sign-in", form("name", "nobody-#", "password", "guess"), 0},
		{"POST", "/console/sign-in/passkey/options", form(), 0},
		{"POST", "/console/setup", form("name", "admin", "secret", "#", "password", long, "again", long), 0},
		{"GET", "/console/users", nil, 0},
		{"POST", wire.PathPair, form("x", "#"), 0},
		{"POST", wire.PathShow, form("x", "#"), 0},
		{"POST", wire.PathAwait, form("x", "#"), 0},
		{"GET", wire.PathConnect, nil, 0},
		{"GET", wire.PathStatus, nil, 0},
	}
}

// What applications of the flood are registered with.
const redirect, entity = "https://app.example/back", "https://sp.example"

// application makes two that strangers know, and returns the ID of the one of OpenID Connect.
func (s *siege) application() string {
	var made struct{ ID string }
	s.must("POST", "/applications", map[string]any{
		"name": "Known", "type": "SINGLE_PAGE_APP", "redirectUris": []string{redirect},
	}, &made)
	s.must("POST", "/applications", map[string]any{
		"name": "Known SAML", "type": "WEB_APP", "protocol": "SAML", "enabled": true, "spEntityId": entity,
		"acsUrls": []string{"https://sp.example/acs"}, "assertionDuration": 60, "idpInitiated": true,
	}, nil)
	return made.ID
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
	if r := s.signOn("bob"); r.Outcome != "ok" { // whom they guess at
		t.Fatalf("%+v", r)
	}
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
	for _, k := range []throttle.Kind{throttle.Tries, throttle.Passkeys, throttle.Codes} {
		if n, network := s.bounds.Of(k).Lately(time.Now()); n == 0 || network != "127.0.0.1" {
			t.Errorf("%s: %d were refused, most of them to %q", k, n, network)
		}
	}
	s.stands(t)
}

// send makes the request, and reads the answer.
func (r stranger) send(client *http.Client, base string, i int) error {
	var body io.Reader
	if r.form != nil {
		body = strings.NewReader(r.form(i).Encode())
	}
	req, err := http.NewRequest(r.method, base+strings.ReplaceAll(r.path, "#", fmt.Sprint(i)), body)
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
	if r.want != 0 && resp.StatusCode != r.want && resp.StatusCode != http.StatusTooManyRequests {
		return fmt.Errorf("%s %.100s: %s, want %d", r.method, r.path, resp.Status, r.want)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}
