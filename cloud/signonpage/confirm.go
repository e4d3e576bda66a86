package signonpage

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"ldap-gateway/cloud/applications"
	"ldap-gateway/cloud/store"
)

// confirmation is what somebody who is signed on sees before an application learns of it.
type confirmation struct {
	Flow, Application string
	User              store.User
	Problem           string   // why they are asked; empty: the application wants that
	Learns            []string // what the application will know
	Other, Decline    string   // addresses
}

// again goes on with a sign-on of before. Where the application asks that the person
// choose, or names somebody who looks like another, the person is asked, and who has not given
// the second factor that is wanted here for that; and where no page may be shown, there is nobody.
func (k *call) again(flow applications.Flow, by store.SignedOn) error {
	lacks, err := k.lacks(flow, by)
	switch {
	case err != nil:
		return err
	case lacks:
		return k.askFactor(flow)
	}
	if flow.ID == "" {
		return k.arrive(flow, by)
	}
	problem, err := k.doubt(flow, by)
	switch {
	case err != nil:
		return err
	case problem != "" && flow.Silent:
		return k.Flows.Refuse(k.w, k.Request, k.env.ID, flow.ID, applications.Nobody)
	case problem != "" || flow.Choose:
		return k.confirm(flow, by, problem)
	}
	return k.arrive(flow, by)
}

// doubt says that the application's hint looks like somebody else's; empty when it does
// not, or there is none. Only what the person is called is looked at, so that nobody
// learns from it who has an account.
func (k *call) doubt(flow applications.Flow, by store.SignedOn) (string, error) {
	u, err := k.person(by)
	if err != nil || !doubtful(flow, u) {
		return "", err
	}
	return say(k.lang, "%s asks for %s.", flow.Application, flow.LoginHint), nil
}

// doubtful tells whether the application's hint is somebody else's than who is signed on, and nothing says for
// certain whom it means.
func doubtful(flow applications.Flow, u store.User) bool {
	return flow.Subject == "" && flow.LoginHint != "" && !called(flow.LoginHint, u)
}

// called tells whether a hint may mean a person: by the username or the e-mail address, or
// by what is before the @ or after the domain in both.
func called(hint string, u store.User) bool {
	return slices.ContainsFunc([]string{u.Username, u.Email}, func(name string) bool {
		return name != "" && (store.Fold(name) == store.Fold(hint) || local(name) == local(hint))
	})
}

// local is a name without a domain before or after it.
func local(name string) string {
	if _, after, ok := strings.Cut(name, `\`); ok {
		name = after
	}
	name, _, _ = strings.Cut(name, "@")
	return store.Fold(name)
}

// learns says in words what an application learns by its scopes.
func learns(scopes []string) (all []string) {
	for _, s := range []struct{ scope, text string }{
		{"openid", "that it is you"},
		{"profile", "your name and user name"},
		{"email", "your e-mail address"},
		{"groups", "groups that you are in, as far as your organisation allows"},
		{"offline_access", "all this later on, too, without you, until you are signed off there"},
	} {
		if slices.Contains(scopes, s.scope) {
			all = append(all, s.text)
		}
	}
	return all
}

// consents tells whether somebody is asked to agree to what the application learns. Who may
// not use it is not: it learns nothing of them.
func (k *call) consents(flow applications.Flow, by store.SignedOn) (bool, error) {
	if !flow.Consent {
		return false, nil
	}
	u, err := k.person(by)
	if err != nil {
		return false, err
	}
	return applications.Admitted(k.Context(), k.Store, flow.Access, u)
}

// confirm asks somebody who is signed on whether to go on.
func (k *call) confirm(flow applications.Flow, by store.SignedOn, problem string) error {
	u, err := k.person(by)
	if err != nil {
		return err
	}
	k.Sessions.ask(k.Context(), k.env.ID, flow.ID, by)
	return k.render(http.StatusOK, "confirm.html", say(k.lang, "Go on as %s?", u.Username), confirmation{
		Flow:        flow.ID,
		Application: flow.Application,
		User:        u,
		Problem:     problem,
		Learns:      learns(flow.Scopes),
		Other:       k.here(flow, url.Values{"anew": {"1"}}),
		Decline:     k.declining(flow),
	})
}

// declining is the address by which an application learns that the person does not want to go on.
func (k *call) declining(flow applications.Flow) string {
	return "/" + k.env.ID + "/signon/decline?" + url.Values{"flow": {flow.ID}}.Encode()
}

// confirmed goes on for whoever was asked. Who was not, or is another by now, begins again.
func (k *call) confirmed() error {
	flow, err := k.flow()
	if err != nil {
		return err
	}
	by, ok := k.Sessions.Person(k.Context(), k.env.ID)
	if !ok || flow.ID == "" || !k.Sessions.asked(k.Context(), k.env.ID, flow.ID, by) {
		http.Redirect(k.w, k.Request, k.here(flow, nil), http.StatusSeeOther)
		return nil
	}
	return k.complete(flow, by)
}

// decline tells the application that the person does not want to. It is a link, since
// browsers would hold a form to this site.
func (k *call) decline() error {
	flow, err := k.flow()
	if err != nil {
		return err
	}
	if flow.ID == "" {
		return store.ErrNotFound
	}
	return k.Flows.Refuse(k.w, k.Request, k.env.ID, flow.ID, applications.Declined)
}
