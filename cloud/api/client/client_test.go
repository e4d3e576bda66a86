package client_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ldap-gateway/cloud/api/client"
)

// cloud answers as the API does, and notes what it was asked.
type cloud struct {
	mu     sync.Mutex
	tokens int
	asked  []string
	status int
	body   string
}

// RoundTrip implements http.RoundTripper.
func (c *cloud) RoundTrip(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := httptest.NewRecorder()
	body := ""
	if r.Body != nil {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		body = string(b)
	}
	if strings.HasSuffix(r.URL.Path, "/as/token") {
		c.token(w, r, body)
		return w.Result(), nil
	}
	c.asked = append(c.asked, r.Method+" "+r.URL.String()+" "+r.Header.Get("Authorization")+" "+body)
	w.WriteHeader(c.status)
	_, _ = w.WriteString(c.body)
	return w.Result(), nil
}

// token gives a token that is good for an hour to who has the secret.
func (c *cloud) token(w *httptest.ResponseRecorder, r *http.Request, body string) {
	id, secret, _ := r.BasicAuth()
	if id != "me" || secret != "secret" || body != "grant_type=client_credentials" {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.WriteString(`{"error":"invalid_client"}`)
		return
	}
	c.tokens++
	_ = json.NewEncoder(w).Encode(map[string]any{
		"access_token": "t" + strings.Repeat("+", c.tokens),
		"expires_in":   3600,
	})
}

func start(status int, body string) (*client.Client, *cloud) {
	c := &cloud{status: status, body: body}
	return &client.Client{
		URL:         "https://id.example.com",
		Environment: "e",
		ID:          "me",
		Secret:      "secret",
		HTTP:        &http.Client{Transport: c},
	}, c
}

// A request is made below the environment with a token, which is kept for as long as it
// is good, but for a minute.
func TestRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, c := start(http.StatusOK, `{"id":"x"}`)
		var out struct{ ID string }
		if err := api.Do(t.Context(), "POST", "/groups", map[string]string{"name": "g"}, &out); err != nil ||
			out.ID != "x" {
			t.Errorf("%+v, %v", out, err)
		}
		if err := api.Do(t.Context(), "DELETE", "/groups/x", nil, nil); err != nil {
			t.Error(err)
		}
		wait := time.NewTimer(59 * time.Minute)
		<-wait.C
		if err := api.Do(t.Context(), "GET", "", nil, nil); err != nil {
			t.Error(err)
		}
		want := []string{
			`POST https://id.example.com/v1/environments/e/groups Bearer t+ {"name":"g"}`,
			`DELETE https://id.example.com/v1/environments/e/groups/x Bearer t+ `,
			`GET https://id.example.com/v1/environments/e Bearer t++ `,
		}
		if got := strings.Join(c.asked, "\n"); got != strings.Join(want, "\n") {
			t.Errorf("asked\n%s", got)
		}
	})
}

// A refusal is typed, with all that it says, whoever said it.
func TestRefusals(t *testing.T) {
	api, c := start(http.StatusBadRequest, `{"code":"INVALID_DATA","message":"No.",
 "details":[{"code":"X","target":"name","message":"Give one."},{"message":"And more."}],
 "innerError":{"outcome":"busy"}}`)
	var refusal *client.Error
	err := api.Do(t.Context(), "POST", "/groups", nil, nil)
	if !errors.As(err, &refusal) || refusal.Status != 400 || refusal.Code != "INVALID_DATA" ||
		refusal.Inner["outcome"] != "busy" {
		t.Fatalf("%+v", err)
	}
	if got := refusal.Error(); got != "400 INVALID_DATA: No.\n  name: Give one.\n  And more." {
		t.Errorf("%q", got)
	}
	c.status, c.body = http.StatusBadGateway, "<h1>proxy</h1>\n"
	err = api.Do(t.Context(), "GET", "", nil, nil)
	if !errors.As(err, &refusal) || refusal.Status != 502 || refusal.Message != "<h1>proxy</h1>" {
		t.Errorf("%+v", err)
	}
	fresh := &client.Client{URL: api.URL, Environment: "e", ID: "me", Secret: "wrong", HTTP: api.HTTP}
	err = fresh.Do(t.Context(), "GET", "", nil, nil)
	if !errors.As(err, &refusal) || refusal.Status != 401 || !strings.HasPrefix(err.Error(), "token: ") {
		t.Errorf("%v", err)
	}
}

// What cannot be sent or read is an error, and no refusal.
func TestWhatCannotBe(t *testing.T) {
	api, c := start(http.StatusOK, "no JSON")
	var out map[string]any
	for name, err := range map[string]error{
		"answer":  api.Do(t.Context(), "GET", "", nil, &out),
		"body":    api.Do(t.Context(), "POST", "", func() {}, nil),
		"method":  api.Do(t.Context(), "G T", "", nil, nil),
		"address": (&client.Client{URL: "://", HTTP: api.HTTP}).Do(t.Context(), "GET", "", nil, nil),
	} {
		var refusal *client.Error
		if err == nil || errors.As(err, &refusal) {
			t.Errorf("%s: %v", name, err)
		}
	}
	c.status, c.body = http.StatusNoContent, ""
	if err := api.Do(t.Context(), "DELETE", "", nil, &out); err != nil {
		t.Error(err)
	}
}
