package idp_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"ldap-gateway/cloud/idp"
	"ldap-gateway/cloud/idp/evidence"
	"ldap-gateway/cloud/idp/idptest"
	"ldap-gateway/cloud/store"
)

// claim changes one claim of the ID token.
func claim(name string, value any) idptest.Fault {
	return idptest.Fault{Claims: func(c map[string]any) {
		if c[name] = value; value == nil {
			delete(c, name)
		}
	}}
}

// answer changes one value of what the browser brings back.
func answer(name, value string) idptest.Fault {
	return idptest.Fault{Answer: func(q url.Values) { q.Set(name, value) }}
}

// wrongs are answers of OpenID Connect that prove nobody.
func wrongs() map[string]struct {
	kind  evidence.Kind
	fault idptest.Fault
} {
	now := time.Now().Unix()
	return map[string]struct {
		kind  evidence.Kind
		fault idptest.Fault
	}{
		"another issuer":           {evidence.WrongIssuer, claim("iss", "https://evil.example.org")},
		"the issuer with a slash":  {evidence.WrongIssuer, idptest.Fault{Claims: func(c map[string]any) { c["iss"] = c["iss"].(string) + "/" }}},
		"another audience":         {evidence.WrongAudience, claim("aud", "other")},
		"two audiences, no azp":    {evidence.WrongAudience, claim("aud", []string{"cloud", "other"})},
		"made for another":         {evidence.WrongAudience, claim("azp", "other")},
		"ended":                    {evidence.TooLate, claim("exp", now-70)},
		"issued in the future":     {evidence.TooEarly, claim("iat", now+120)},
		"not yet good":             {evidence.TooEarly, claim("nbf", now+3600)},
		"another nonce":            {evidence.WrongRequest, claim("nonce", "x")},
		"no nonce":                 {evidence.WrongRequest, claim("nonce", nil)},
		"no subject":               {evidence.NoSubject, claim("sub", "")},
		"endless subject":          {evidence.NoSubject, claim("sub", strings.Repeat("x", 256))},
		"another access token":     {evidence.Signature, claim("at_hash", "AAAAAAAAAAAAAAAAAAAAAA")},
		"algorithm none":           {evidence.WeakAlgorithm, idptest.Fault{Unsigned: true}},
		"the client's secret":      {evidence.WeakAlgorithm, idptest.Fault{Shared: true}},
		"a stranger's key":         {evidence.Signature, idptest.Fault{Stranger: true}},
		"a key nobody knows":       {evidence.UnknownKey, idptest.Fault{UnknownKey: "k-9"}},
		"answer of another issuer": {evidence.WrongIssuer, answer("iss", "https://evil.example.org")},
		"answer of no issuer":      {evidence.WrongIssuer, answer("iss", "")},
		"another state":            {evidence.WrongRequest, answer("state", strings.Repeat("x", 43))},
		"no state":                 {evidence.WrongRequest, answer("state", "")},
		"another code":             {evidence.ProviderError, answer("code", "x")},
		"no code":                  {evidence.Shape, answer("code", "")},
		"two codes":                {evidence.Shape, idptest.Fault{Answer: func(q url.Values) { q.Add("code", "x") }}},
		"given up":                 {evidence.Cancelled, answer("error", "access_denied")},
		"a page is wanted":         {evidence.NeedsPerson, answer("error", "interaction_required")},
		"not now":                  {evidence.Unavailable, answer("error", "temporarily_unavailable")},
		"an error of its own":      {evidence.ProviderError, answer("error", "<script>")},
		"UserInfo of another":      {evidence.WrongRequest, idptest.Fault{Info: func(c map[string]any) { c["sub"] = "sub-mallory" }}},
		"UserInfo of nobody":       {evidence.WrongRequest, idptest.Fault{Info: func(c map[string]any) { delete(c, "sub") }}},
	}
}

func TestWrongAnswersOfOpenID(t *testing.T) {
	w := build(t)
	w.oidc.Config.OIDC.AlwaysAsks = true
	w.must(w.Store.UpdateIdentityProvider(t.Context(), &w.oidc))
	before := w.written()
	for name, c := range wrongs() {
		t.Run(name, func(t *testing.T) {
			w.openID.Set(c.fault)
			w.ahead += 31 * time.Second // no cool-down of another case
			defer func() { w.ahead = 0 }()
			_, err := w.in(t).byOpenID("eve")
			w.in(t).wantKind(err, c.kind)
			if now := w.written(); now != before {
				t.Errorf("%s, before %s", now, before)
			}
		})
	}
}

// TestUserInfo is asked when the ID token lacks what is mapped, or always; signed or not.
func TestUserInfo(t *testing.T) {
	w := build(t)
	person := idptest.Person{
		Token: map[string]any{"email": "eve@example.org", "groups": []string{"token"}},
		Info:  map[string]any{"groups": []string{"info"}},
	}
	for name, c := range map[string]struct {
		always, signed, fails bool
		lacks                 string // of the ID token
		groups, verdict       string
	}{
		"not needed":          {groups: "token", verdict: "complete"},
		"needed":              {lacks: "groups", groups: "info", verdict: "complete"},
		"always":              {always: true, groups: "info|token", verdict: "complete"},
		"signed":              {always: true, signed: true, groups: "info|token", verdict: "complete"},
		"fails":               {always: true, fails: true, groups: "token", verdict: "partial"},
		"fails when needed":   {lacks: "groups", fails: true, groups: "", verdict: "unknown"},
		"asked for the email": {lacks: "email", groups: "info|token", verdict: "complete"},
	} {
		t.Run(name, func(t *testing.T) {
			p := idptest.Person{Token: map[string]any{}, Info: person.Info}
			for k, v := range person.Token {
				if k != c.lacks {
					p.Token[k] = v
				}
			}
			who := strings.ReplaceAll(name, " ", "-")
			w.openID.SetPerson(who, p)
			w.openID.Set(idptest.Fault{SignedInfo: c.signed, InfoFails: c.fails})
			w.oidc.Config.OIDC.AlwaysAsks = c.always
			w.must(w.Store.UpdateIdentityProvider(t.Context(), &w.oidc))
			a, err := w.in(t).byOpenID(who)
			if err != nil {
				t.Fatal(err)
			}
			if got := w.groups(a.SignOn.UserID); got != c.groups || a.SignOn.Verdict != c.verdict {
				t.Errorf("%q, %s", got, a.SignOn.Verdict)
			}
		})
	}
}

// TestKeyRotation needs no restart; a thousand keys that nobody knows are asked for once.
func TestKeyRotation(t *testing.T) {
	w := build(t)
	for range 3 {
		_, err := w.byOpenID("eve")
		w.must(err)
		w.openID.Rotate()
	}
	asked := w.openID.Asked("/jwks")
	for i := range 20 {
		w.openID.Set(idptest.Fault{UnknownKey: fmt.Sprint("k", i)})
		_, err := w.byOpenID("eve")
		w.wantKind(err, evidence.UnknownKey)
	}
	if n := w.openID.Asked("/jwks") - asked; n != 1 {
		t.Errorf("the keys were read %d times", n)
	}
}

// TestJourneyIsTheBrowsers: an answer that another browser brings, or the same one
// again, or too late, signs nobody on.
func TestJourneyIsTheBrowsers(t *testing.T) {
	w := build(t)
	mine, theirs := browser{}, browser{}
	back := w.atOpenID(w.begin(mine, w.oidc.ID, anyhow()), "eve")
	w.begin(theirs, w.oidc.ID, anyhow())
	before := w.written()
	_, err := w.Callback(t.Context(), w.env.ID, from(back, theirs.get))
	w.wantKind(err, evidence.WrongRequest)
	for suffix := range mine { // a cookie of theirs under our name
		for _, value := range theirs {
			_, err = w.Callback(t.Context(), w.env.ID, from(back, browser{suffix: value}.get))
			w.wantKind(err, evidence.WrongRequest)
		}
	}
	w.ahead = 11 * time.Minute
	_, err = w.Callback(t.Context(), w.env.ID, from(back, mine.get))
	w.wantKind(err, evidence.WrongRequest)
	if w.ahead = 0; w.written() != before {
		t.Error(w.written())
	}
	_, err = w.Callback(t.Context(), w.env.ID, from(back, mine.get))
	w.must(err)
	_, err = w.Callback(t.Context(), w.env.ID, from(back, mine.get))
	w.wantKind(err, evidence.Replayed)
}

// TestMixUp: what was begun at one provider is not ended by another.
func TestMixUp(t *testing.T) {
	w := build(t)
	b := browser{}
	fromOther := w.atOpenID(w.begin(b, w.oidc.ID, anyhow()), "eve")
	other := w.oidc
	other.ID, other.Name, other.Sealed, other.Config.OIDC.Issuer = "", "Other", nil, "https://evil.example.org"
	w.must(w.Store.CreateIdentityProvider(t.Context(), &other))
	g := w.begin(b, other.ID, anyhow())
	at, err := url.Parse(g.Address)
	w.must(err)
	fromOther.Set("state", at.Query().Get("state"))
	_, err = w.Callback(t.Context(), w.env.ID, from(fromOther, b.get))
	w.wantKind(err, evidence.WrongIssuer)
}

// TestHostileProviderGetsNoCodeOfAnother (RFC 9700 section 4.4): one sends browsers on to
// another, with its own state and a request that the attacker began there. The other's
// answers do not say whose they are, and it asks nobody anything.
func TestHostileProviderGetsNoCodeOfAnother(t *testing.T) {
	for at, refused := range map[string]bool{"": true, "own": false, "other": true} {
		w := build(t)
		w.openID.Set(idptest.Fault{Answer: func(q url.Values) { q.Del("iss") }})
		hostile := w.oidc
		hostile.ID, hostile.Name, hostile.Sealed = "", "Hostile", nil
		copied := *w.oidc.Config.OIDC
		hostile.Config.OIDC = &copied
		asked := false
		evil := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
		defer evil.Close()
		copied.Issuer, copied.TokenEndpoint, copied.OwnCallback = evil.URL, evil.URL, true
		w.must(w.Store.CreateIdentityProvider(t.Context(), &hostile))
		victim, attacker := browser{}, browser{}
		code := w.atOpenID(w.begin(attacker, w.oidc.ID, anyhow()), "victim").Get("code")
		g := w.begin(victim, hostile.ID, anyhow())
		there, err := url.Parse(g.Address)
		w.must(err)
		if own := there.Query().Get("redirect_uri"); own != w.CallbackURL(w.oidc)+"/"+hostile.ID {
			t.Errorf("its address is %s", own)
		}
		answer := from(url.Values{"code": {code}, "state": {there.Query().Get("state")}}, victim.get)
		answer.At = map[string]string{"own": hostile.ID, "other": w.oidc.ID}[at]
		_, err = w.Callback(t.Context(), w.env.ID, answer)
		if asked == refused || err == nil {
			t.Errorf("at %q: asked %t, %v", at, asked, err)
		}
	}
}

// TestAccountsAreNotTakenOver by what a provider says of names and addresses.
func TestAccountsAreNotTakenOver(t *testing.T) {
	w := build(t)
	victim := store.User{EnvironmentID: w.env.ID, PopulationID: w.population.ID, Username: "victim", Email: "victim@example.org", Enabled: true}
	w.must(w.Store.CreateUser(t.Context(), &victim))
	w.oidc.Mappings[0].Value = "${providerAttributes.preferred_username}"
	w.must(w.Store.UpdateIdentityProvider(t.Context(), &w.oidc))
	for _, name := range []string{"victim", "VICTIM", " victim "} {
		w.openID.SetPerson("eve", idptest.Person{Token: map[string]any{
			"preferred_username": name,
			"email":              "victim@example.org",
			"email_verified":     true,
			"groups":             []string{"a"},
		}})
		_, err := w.byOpenID("eve")
		if err == nil || !strings.Contains(err.Error(), "username_taken") {
			t.Errorf("%q: %v", name, err)
		}
	}
	if after, err := w.Store.User(t.Context(), w.env.ID, victim.ID); err != nil || after.UpdatedAt != victim.UpdatedAt || w.groups(victim.ID) != "" {
		t.Errorf("%+v %v", after, err)
	}
}

// TestWhoIsNotSignedOn although they have proven who they are.
func TestWhoIsNotSignedOn(t *testing.T) {
	w := build(t)
	a, err := w.byOpenID("eve")
	w.must(err)
	u, err := w.Store.User(t.Context(), w.env.ID, a.SignOn.UserID)
	w.must(err)
	u.Enabled = false
	w.must(w.Store.UpdateUser(t.Context(), &u))
	if _, err := w.byOpenID("eve"); err == nil || !strings.Contains(err.Error(), "disabled") {
		t.Error(err)
	}
	w.oidc.PopulationID = ""
	w.must(w.Store.UpdateIdentityProvider(t.Context(), &w.oidc))
	if _, err := w.byOpenID("mallory"); err == nil || !strings.Contains(err.Error(), "nobody is linked") {
		t.Error(err)
	}
	b := browser{}
	back := w.atOpenID(w.begin(b, w.oidc.ID, anyhow()), "eve")
	w.oidc.Enabled = false
	w.must(w.Store.UpdateIdentityProvider(t.Context(), &w.oidc))
	_, err = w.Callback(t.Context(), w.env.ID, from(back, b.get))
	w.wantKind(err, evidence.Unavailable)
	if _, err := w.Begin(t.Context(), w.env.ID, w.oidc.ID, anyhow()); err == nil {
		t.Error("begun at a disabled provider")
	}
}

// TestFreshProof: an application that wants one gets one, or nobody.
func TestFreshProof(t *testing.T) {
	w := build(t)
	old := claim("auth_time", time.Now().Add(-2*time.Minute).Unix())
	for name, c := range map[string]struct {
		wish  idp.Wish
		fault idptest.Fault
		kind  evidence.Kind // empty: taken
	}{
		"anew, and it is":       {idp.Wish{Anew: true, MaxAge: -1}, idptest.Fault{}, ""},
		"anew, and it is not":   {idp.Wish{Anew: true, MaxAge: -1}, old, evidence.OldProof},
		"a minute, it is older": {idp.Wish{MaxAge: 30 * time.Second}, old, evidence.OldProof},
		"an hour":               {idp.Wish{MaxAge: time.Hour}, old, ""},
		"not said when":         {idp.Wish{MaxAge: time.Hour}, claim("auth_time", nil), evidence.OldProof},
	} {
		t.Run(name, func(t *testing.T) {
			w.openID.Set(c.fault)
			b := browser{}
			g := w.in(t).begin(b, w.oidc.ID, c.wish)
			_, err := w.Callback(t.Context(), w.env.ID, from(w.atOpenID(g, "eve"), b.get))
			if c.kind != "" {
				w.in(t).wantKind(err, c.kind)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

// TestNothingSecretIsLogged, kept or shown.
func TestNothingSecretIsLogged(t *testing.T) {
	w := build(t)
	var log bytes.Buffer
	w.Logger = hclog.New(&hclog.LoggerOptions{Output: &log, Level: hclog.Trace})
	for _, f := range []idptest.Fault{{}, {Stranger: true}, claim("nonce", "x"), answer("code", "wrong-code"), {InfoFails: true}} {
		w.openID.Set(f)
		b := browser{}
		back := w.atOpenID(w.begin(b, w.oidc.ID, anyhow()), "eve")
		_, err := w.Callback(t.Context(), w.env.ID, from(back, b.get))
		said := log.String() + fmt.Sprint(err)
		for what, secret := range map[string]string{"code": back.Get("code"), "state": back.Get("state"), "secret": w.openID.Secret, "token": "access-", "signed": "eyJ"} {
			if strings.Contains(said, secret) {
				t.Errorf("the %s is in %s", what, said)
			}
		}
	}
}
