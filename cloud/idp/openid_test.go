package idp_test

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"ldap-gateway/cloud/evidence"
	"ldap-gateway/cloud/idp"
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
		"blank subject":            {evidence.NoSubject, claim("sub", " ")},
		"subject is null":          {evidence.NoSubject, claim("sub", nil)},
		"subject with NUL":         {evidence.BadSubject, claim("sub", "a\x00b")},
		"subject with a broken":    {evidence.BadSubject, claim("sub", "a\ufffdb")},
		"subject on two lines":     {evidence.BadSubject, claim("sub", "a\nb")},
		"subject is a number":      {evidence.BadClaim, claim("sub", 5)},
		"subject is a list":        {evidence.BadClaim, claim("sub", []string{"sub-eve"})},
		"at_hash is a number":      {evidence.BadClaim, claim("at_hash", 5)},
		"at_hash is empty":         {evidence.Signature, claim("at_hash", "")},
		"nonce is a number":        {evidence.BadClaim, claim("nonce", 5)},
		"made for a list":          {evidence.BadClaim, claim("azp", []string{"other"})},
		"made for a list of us":    {evidence.BadClaim, claim("azp", []string{"cloud"})},
		"made for nobody":          {evidence.WrongAudience, claim("azp", "")},
		"audience is a number":     {evidence.WrongAudience, claim("aud", 5)},
		"audience has a number":    {evidence.BadClaim, claim("aud", []any{"cloud", 5})},
		"never issued":             {evidence.BadClaim, claim("iat", nil)},
		"issued in words":          {evidence.BadClaim, claim("iat", "today")},
		"issued at zero":           {evidence.BadClaim, claim("iat", 0)},
		"issued ten days ago":      {evidence.TooLate, claim("iat", now-10*24*3600)},
		"issued 11 minutes ago":    {evidence.TooLate, claim("iat", now-11*60)},
		"endless":                  {evidence.BadClaim, claim("exp", nil)},
		"ends in words":            {evidence.BadClaim, claim("exp", "never")},
		"a date before it":         {evidence.BadClaim, claim("nbf", true)},
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

// TestUserInfo is asked when groups are mapped or the ID token lacks what is, or always;
// signed or not.
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
		"all in the token":    {groups: "info|token", verdict: "complete"},
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

// TestUserInfoNeedNotBeAsked when no groups are mapped and the ID token has the rest.
func TestUserInfoNeedNotBeAsked(t *testing.T) {
	w := build(t)
	w.oidc.Mappings = w.oidc.Mappings[:2]
	w.must(w.Store.UpdateIdentityProvider(t.Context(), &w.oidc))
	_, err := w.byOpenID("eve")
	w.must(err)
	if n := w.openID.Asked("/userinfo"); n != 0 {
		t.Errorf("asked %d times", n)
	}
}

// TestGroupsStayWithoutTheWholeList: a source that was not asked, or that says that there
// is more, takes no group away; both sources together do, whatever else is in them.
func TestGroupsStayWithoutTheWholeList(t *testing.T) {
	type object = map[string]any
	long := object{"groups": []string{"one", "two", "three"}}
	sources := object{"s": object{"endpoint": "https://x"}}
	for name, c := range map[string]struct {
		token, info object
		fails       bool
		verdict     string
		groups      string // after it
	}{
		"an empty token, UserInfo has all":   {object{"groups": []string{}}, long, false, "complete", "one|three|two"},
		"a short token, UserInfo has all":    {object{"groups": []string{"one"}}, long, false, "complete", "one|three|two"},
		"a token of text, UserInfo has all":  {object{"groups": "two"}, long, false, "complete", "one|three|two"},
		"an empty token, UserInfo is silent": {object{"groups": []string{}}, nil, false, "complete", ""},
		"both are empty":                     {object{"groups": []string{}}, object{"groups": []string{}}, false, "complete", ""},
		"both say one":                       {object{"groups": []string{"one"}}, object{"groups": "one"}, false, "complete", "one"},
		"an empty token, UserInfo fails":     {object{"groups": []string{}}, nil, true, "partial", "one|three|two"},
		"names of a source that is none":     {object{"groups": []string{}, "_claim_names": object{"groups": "s"}}, nil, false, "partial", "one|three|two"},
		"names of no source":                 {object{"_claim_names": object{"groups": ""}}, nil, false, "partial", "one|three|two"},
		"names that are a text":              {object{"groups": "one", "_claim_names": "groups"}, nil, false, "partial", "one|three|two"},
		"sources that are a list":            {object{"_claim_names": object{"groups": "s"}, "_claim_sources": []int{1}}, nil, false, "partial", "one|three|two"},
		"sources without names":              {object{"groups": "one", "_claim_sources": sources}, nil, false, "partial", "one|three|two"},
		"sources of a photo are malformed":   {object{"groups": "one", "_claim_names": object{"photo": "x"}, "_claim_sources": 5}, nil, false, "complete", "one"},
		"hasgroups":                          {object{"groups": "one", "hasgroups": "True"}, nil, false, "partial", "one|three|two"},
	} {
		t.Run(name, func(t *testing.T) {
			w := build(t).in(t)
			email := object{"email": "eve@example.org"}
			with := func(o object) object {
				all := maps.Clone(email)
				maps.Copy(all, o)
				return all
			}
			w.openID.SetPerson("eve", idptest.Person{Token: email, Info: long})
			_, err := w.byOpenID("eve")
			w.must(err)
			w.openID.SetPerson("eve", idptest.Person{Token: with(c.token), Info: c.info})
			w.openID.Set(idptest.Fault{InfoFails: c.fails})
			a, err := w.byOpenID("eve")
			w.must(err)
			if got := w.groups(a.SignOn.UserID); got != c.groups || a.SignOn.Verdict != c.verdict {
				t.Errorf("%q, %s (%s)", got, a.SignOn.Verdict, a.SignOn.VerdictReason)
			}
		})
	}
}

// TestNamesOfClaimsAreExact: what is written in other letters is another claim.
func TestNamesOfClaimsAreExact(t *testing.T) {
	w := build(t)
	first, err := w.byOpenID("eve")
	w.must(err)
	for name, value := range map[string]any{
		"Sub": "sub-victim", "SUB": 5, "\u017fub": "sub-victim", "Iss": "https://evil.example.org", "AUD": "other",
		"Nonce": "x", "At_Hash": "x", "EXP": "never", "iAt": 0, "Azp": "other",
	} {
		w.openID.Set(claim(name, value))
		a, err := w.byOpenID("eve")
		if err != nil || a.SignOn.UserID != first.SignOn.UserID {
			t.Errorf("%s: %q %v", name, a.SignOn.Username, err)
		}
	}
}

// TestValuesFit: no record has what no record can have.
func TestValuesFit(t *testing.T) {
	w := build(t)
	w.openID.SetPerson("eve", idptest.Person{Token: map[string]any{"email": strings.Repeat("x", 500_000)}})
	a, err := w.byOpenID("eve")
	w.must(err)
	if u, err := w.Store.User(t.Context(), w.env.ID, a.SignOn.UserID); err != nil || u.Email != "" {
		t.Errorf("%d characters of e-mail, %v", len(u.Email), err)
	}
	w.oidc.Mappings[0].Value = "${providerAttributes.name}"
	w.must(w.Store.UpdateIdentityProvider(t.Context(), &w.oidc))
	for _, name := range []string{"ann\nadmin", "ann\x00", strings.Repeat("a", 1025)} {
		w.openID.SetPerson("ann", idptest.Person{Token: map[string]any{"name": name}})
		_, err := w.byOpenID("ann")
		w.wantKind(err, evidence.ProviderError)
		if !strings.Contains(fmt.Sprint(err), "username") {
			t.Errorf("%.20q: %v", name, err)
		}
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
		"to come":               {idp.Wish{MaxAge: time.Hour}, claim("auth_time", time.Now().Add(48*time.Hour).Unix()), evidence.TooEarly},
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
