package signonpage

import (
	"fmt"
	"strings"
	"testing"

	"ldap-gateway/cloud/idp/idptest"
	"ldap-gateway/cloud/store"
)

// TestFactorOfAProvider: whoever comes by a provider is asked for a second factor as anybody is, unless the
// provider is trusted with it and says that it asked for one; for an application and for none, with a page and
// without. A user with a factor of their own is no other, nor one of whom a program wants it.
func TestFactorOfAProvider(t *testing.T) {
	says := map[string]map[string]any{
		"nothing":  {},
		"pwd":      {"amr": []string{"pwd"}},
		"two":      {"amr": []string{"pwd", "otp"}},
		"mfa":      {"amr": []string{"mfa"}},
		"acr":      {"acr": "https://refeds.org/profile/mfa"},
		"userinfo": {}, // of which an answer is not the proof
	}
	for said, claims := range says {
		for _, trusted := range []bool{true, false} {
			for _, flow := range []string{"", "f1", "silent"} {
				t.Run(fmt.Sprintf("%s/trusted:%t/%s", said, trusted, flow), func(t *testing.T) {
					p := startPartners(t)
					p.asksFactor(true)
					p.openID.Set(idptest.Fault{
						Claims: func(c map[string]any) {
							for name, value := range claims {
								c[name] = value
							}
						},
						Info: func(c map[string]any) {
							if said == "userinfo" {
								c["amr"], c["acr"] = []string{"mfa"}, "mfa"
							}
						},
					})
					p.change(func(i *store.IdentityProvider) { i.Config.TrustsFactor = trusted })
					path := "/" + p.env + "/signon/idp/" + p.p.ID
					if p.flow.Silent = flow == "silent"; flow != "" {
						path += "?flow=f1"
					}
					c := p.visitor()
					a := p.walk(c, path, "eve")
					counts := trusted && (said == "two" || said == "mfa" || said == "acr")
					if inside(a) != counts || p.flow.Silent && !counts && a.to != "/refused/f1" {
						t.Fatalf("%d %q %s", a.status, a.to, a.page)
					}
					if p.flow.Silent = false; !counts {
						p.outside(c, "")
					}
					if flow == "f1" && !counts {
						p.gives(c, a, "")
					}
				})
			}
		}
	}
}

// TestFactorOfAProviderIsTold in the activities of the user.
func TestFactorOfAProviderIsTold(t *testing.T) {
	p := startPartners(t)
	p.asksFactor(true)
	p.openID.Set(idptest.Fault{Claims: func(c map[string]any) { c["amr"] = []string{"mfa"} }})
	p.change(func(i *store.IdentityProvider) { i.Config.TrustsFactor = true })
	if a := p.walk(p.visitor(), "/"+p.env+"/signon/idp/"+p.p.ID, "eve"); !inside(a) {
		t.Fatal(a.page)
	}
	all, _, err := p.db.Activities(t.Context(), p.env, store.ActivityFilter{Action: "user.factor-proven"}, store.Page{})
	if err != nil || len(all) != 1 || !strings.Contains(all[0].Text, "identity provider") {
		t.Errorf("%+v, %v", all, err)
	}
}
