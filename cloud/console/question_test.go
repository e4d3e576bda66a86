package console_test

import (
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"ldap-gateway/cloud/console"
	"ldap-gateway/cloud/store"
)

// atOnce says why what a form does needs no question. What is not here is asked about at
// its own address first.
var atOnce = map[string]string{
	"POST /console/sign-out":                           "one's own session",
	"POST /console/gateways":                           "makes",
	"POST /console/gateways/{g}/try":                   "shows",
	"POST /console/gateways/{g}/user-types":            "makes",
	"POST /console/gateways/{g}/user-types/{t}":        "a form that is saved",
	"POST /console/gateways/{g}/user-types/{t}/relink": "on the page that asks before the deletion",
	"POST /console/gateways/{g}/pairings":              "makes",
	"POST /console/gateways/{g}/pairings/{id}/delete":  "nobody has used it",
	"POST /console/gateways/{g}/approve":               "a page of its own",
	"POST /console/gateways/{g}/instances/{i}/rotate":  "goes on with both keys",
	"POST /console/gateways/{g}/kerberos":              "a form that is saved",
	"POST /console/gateways/{g}/kerberos/keys":         "adds; those before stay for their time",
	"POST /console/applications":                       "makes",
	"POST /console/applications/saml":                  "makes",
	"POST /console/applications/{a}":                   "a form that is saved",
	"POST /console/own":                                "makes",
	"POST /console/users":                              "makes",
	"POST /console/users/{u}":                          "a form that is saved",
	"POST /console/users/{u}/link":                     "a form that is saved",
	"POST /console/users/{u}/accounts":                 "adds",
	"POST /console/groups":                             "makes",
	"POST /console/groups/{group}":                     "a form that is saved",
	"POST /console/groups/{group}/members":             "adds",
	"POST /console/populations":                        "makes",
	"POST /console/populations/{p}":                    "a form that is saved",
	"POST /console/providers":                          "makes",
	"POST /console/providers/{p}":                      "a form that is saved",
	"POST /console/providers/{p}/mappings":             "a form that is saved",
	"POST /console/providers/{p}/check":                "shows",
	"POST /console/providers/{p}/try":                  "shows",
	"POST /console/providers/{p}/key":                  "makes",
	"POST /console/providers/{p}/certificates":         "adds",
	"POST /console/account/password":                   "one's own, with the password of now",
	"POST /console/account/one-time":                   "one's own",
	"POST /console/account/one-time/delete":            "one's own, with the password of now",
	"POST /console/account/passkey":                    "one's own",
	"POST /console/account/passkey/options":            "one's own",
	"POST /console/account/passkey/delete":             "one's own, with the password of now",
	"POST /console/account/recovery":                   "one's own, on a page that says so, with the password of now",
	"POST /console/settings":                           "a form that is saved",
	"POST /console/settings/logo":                      "a picture",
	"POST /console/settings/sign-on":                   "moved back as easily",
	"POST /console/settings/policies":                  "makes",
	"POST /console/settings/policies/factor":           "takes away what is asked about when it is switched on",
	"POST /console/settings/administrators":            "makes",
	"POST /console/settings/administrators/{id}":       "given back as easily",
	"POST /console/settings/clients":                   "makes",
	"POST /console/settings/role-groups":               "what takes away is asked about at role-groups/{group}",
	"POST /console/settings/alerts/channels":           "adds",
	"POST /console/settings/alerts/channels/{id}/try":  "shows",
	"POST /console/settings/alerts/quiet":              "ends by itself",
}

// Whatever cuts people or programs off is asked about first, on a page that works without
// scripts and says what comes of it.
func TestWhatCutsOffIsAskedFirst(t *testing.T) {
	s := open(t)
	v := s.admin()
	f := s.fill(s.env.ID, "")
	_, closed := console.Routes()
	known := map[string]bool{}
	for _, pattern := range closed {
		known[pattern] = true
	}
	asked := 0
	for _, pattern := range closed {
		rest, isForm := strings.CutPrefix(pattern, "POST ")
		if !isForm || atOnce[pattern] != "" {
			continue
		}
		asked++
		if !known["GET "+rest] {
			t.Errorf("%s acts at the first click", pattern)
			continue
		}
		_, path := f.at(pattern)
		page := v.get(path + "?action=disable&user=" + f.user.ID + "&group=" + f.jit.ID).is(http.StatusOK)
		never := strings.Contains(page.body, "Move or delete them first")
		if !strings.Contains(page.body, `<button class="danger">`) && !never {
			t.Errorf("%s: no question", path)
		}
	}
	if asked < 20 {
		t.Errorf("%d are asked about", asked)
	}
	for pattern := range atOnce {
		if !known[pattern] {
			t.Errorf("there is no %s", pattern)
		}
	}
}

var forms = regexp.MustCompile(`(?s)<form method="post" action="([^"]+)"[^>]*>(.*?)</form>`)

// No page has a button that does at once what is asked about: it leads to the question.
func TestNoButtonPassesTheQuestionBy(t *testing.T) {
	s := open(t)
	v := s.admin()
	f := s.fill(s.env.ID, "")
	s.must(s.store.SetPersonFactor(t.Context(), s.env.ID, f.user.ID, []byte("sealed")))
	_, closed := console.Routes()
	allowed := map[string]bool{}
	for pattern := range atOnce {
		_, path := f.at(pattern)
		allowed[path] = true
	}
	for _, pattern := range closed {
		method, path := f.at(pattern)
		if method != "GET" || strings.HasPrefix(path, "/console/activity/") ||
			strings.HasSuffix(path, ".png") || strings.HasSuffix(path, "/export") {
			continue
		}
		for _, m := range forms.FindAllStringSubmatch(v.get(path).body, -1) {
			at := html.UnescapeString(m[1])
			asks := m[0] != "" && strings.HasSuffix(path, "/remove") || strings.HasSuffix(path, "/revoke")
			enables := strings.HasSuffix(at, "/enabled") && strings.Contains(m[2], `name="enabled" value="yes"`)
			if !allowed[at] && !asks && !enables && !within(at) {
				t.Errorf("%s has a button that does %s at once", path, at)
			}
		}
	}
}

// within are forms whose address has an ID that f does not fill.
func within(at string) bool {
	return strings.HasPrefix(at, "/console/settings/administrators/") && strings.Count(at, "/") == 4 ||
		strings.HasSuffix(at, "/try") || strings.HasSuffix(at, "/rotate") || at == "/console/settings/role-groups"
}

func TestTwoSecretsAtOnce(t *testing.T) {
	s := open(t)
	v := s.admin()
	f := s.fill(s.env.ID, "")
	page := "/console/applications/" + f.application.ID
	f.application.Former, f.application.SecretHash = store.FormerSecret{}, []byte("of now")
	s.must(s.store.UpdateApplication(t.Context(), &f.application))
	v.get(page).lacks("The secret before is good as well")
	v.get(page+"/secret").has("Make a new secret for", "24 hours", "30 days")
	v.get(page + "/secret/end").is(http.StatusNotFound)
	v.post(page+"/secret", "keep", "24").is(http.StatusOK).has("The new secret", "The secret before is good as well").
		lacks("the one before is not good any more")
	v.get(page + "/secret").has("The secret before the current one is valid still")
	kept, err := s.store.Application(t.Context(), s.env.ID, f.application.ID)
	s.must(err)
	if want := s.clock().Add(24 * 60 * 60 * 1e9); !kept.Former.Until.Equal(want) {
		t.Errorf("until %s, want %s", kept.Former.Until, want)
	}
	v.get(page).has("End it now")
	v.get(page + "/secret/end").has("End the secret before")
	v.follow(v.post(page + "/secret/end")).has("not good any more").lacks("is good as well")
	v.post(page + "/secret/end").is(http.StatusNotFound)
	v.post(page+"/secret", "keep", "0").has("the one before is not good any more").lacks("is good as well")
	v.post(page+"/secret", "keep", "1").has("is good as well")
	s.pass(61 * 60 * 1e9)
	v.get(page).lacks("is good as well")
	for _, far := range []string{"721", "9999999999999"} {
		v.post(page+"/secret", "keep", far).is(http.StatusUnprocessableEntity)
	}
	v.get("/console/settings/role-groups/"+f.jit.ID).has("Take the role away from", "1 user is in it")
}

// An API client has two secrets at once, for as long as its page was told, and until the one before is ended.
func TestTwoSecretsOfAClient(t *testing.T) {
	s := open(t)
	v := s.admin()
	f := s.fill(s.env.ID, "")
	const list = "/console/settings/clients"
	page := list + "/" + f.client.ID
	kept := func() store.FormerSecret {
		c, err := s.store.Client(t.Context(), s.env.ID, f.client.ID)
		s.must(err)
		return c.Former
	}
	v.get(list).has("The one before is good as well. It ends", "End the secret before")
	v.get(page + "/secret/end").has("End the secret before")
	v.follow(v.post(page + "/secret/end")).has("is not valid any more").lacks("is good as well")
	s.actor("client.updated", "client:"+f.client.ID)
	v.get(page + "/secret/end").is(http.StatusNotFound)
	v.post(page + "/secret/end").is(http.StatusNotFound)
	v.get(page+"/secret").has("Make a new secret for", "24 hours", "30 days").lacks("is good still")
	v.post(page+"/secret", "keep", "24").is(http.StatusOK).has("The secret of", "is good as well")
	if want := s.clock().Add(24 * 60 * 60 * 1e9); !kept().Until.Equal(want) {
		t.Errorf("until %s, want %s", kept().Until, want)
	}
	v.get(page + "/secret").has("The secret before the current one is valid still")
	for _, far := range []string{"721", "9999999999999"} {
		v.post(page+"/secret", "keep", far).is(http.StatusUnprocessableEntity)
	}
	v.post(page+"/secret", "keep", "0").is(http.StatusOK).has("The secret of").lacks("is good as well")
	if kept().Hash != nil {
		t.Errorf("%+v", kept())
	}
	v.post(page+"/secret", "keep", "1").has("is good as well")
	s.pass(61 * 60 * 1e9)
	v.get(list).lacks("is good as well")
}
