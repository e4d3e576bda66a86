package hub_test

import (
	"errors"
	"net/http"
	"net/url"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloudlink"
	"ldap-gateway/cloudlink/wire"
)

// TestUnpaired has an instance say that it is none any more: its link is cut and
// its key refused, and only an assertion made for this does it.
func TestUnpaired(t *testing.T) {
	n := startNode(t, time.Second)
	m := n.start(ok)
	base, nonces := n.server.URL, wire.NewNonces([]byte(nonceKey))
	nonce := func() []byte { return nonces.Give(time.Now()) }
	to, err := url.Parse(base)
	must(t, err)
	for name, audience := range map[string]string{
		"for-a-link":        base,
		"for-another-cloud": "https://other.example.test" + wire.PathUnpair,
	} {
		t.Run(name, func(t *testing.T) {
			header, err := wire.NewAssertion(m.instance, audience, 0, time.Now()).With(nonce()).Sign(m.keys.Key)
			must(t, err)
			if status := postUnpair(t, base, header); status != http.StatusUnauthorized {
				t.Errorf("answers %d", status)
			}
		})
	}
	if !n.live(m) {
		t.Fatal("the link is gone before it was to be")
	}
	header, err := wire.NewAssertion(m.instance, base+wire.PathUnpair, 0, time.Now()).With(nonce()).Sign(m.keys.Key)
	must(t, err)
	for _, want := range []int{http.StatusOK, http.StatusUnauthorized} { // the second is a replay
		if status := postUnpair(t, base, header); status != want {
			t.Errorf("answers %d, want %d", status, want)
		}
	}
	n.await("the link is cut", func() bool { return !n.live(m) })
	i, err := n.store.Instance(t.Context(), m.instance)
	if err != nil || i.RevokedAt.IsZero() || i.RevokedBy != "the machine itself" {
		t.Errorf("%+v %v", i, err)
	}
	var refusal *wire.Refusal
	if err := cloudlink.Unpair(t.Context(), http.DefaultClient, to, m.keys); !errors.As(err, &refusal) ||
		refusal.Code != wire.RefusedRevoked {
		t.Errorf("once more: %v", err)
	}
	did, _, err := n.store.Activities(
		t.Context(),
		n.gateway.EnvironmentID,
		store.ActivityFilter{Action: "instance.unpaired"},
		store.Page{},
	)
	if err != nil || len(did) != 1 || did[0].Actor != "instance:"+m.instance {
		t.Errorf("%+v %v", did, err)
	}
}

func postUnpair(t *testing.T, base, header string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+wire.PathUnpair, nil)
	must(t, err)
	req.Header.Set("Authorization", header)
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	must(t, resp.Body.Close())
	return resp.StatusCode
}
