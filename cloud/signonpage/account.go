package signonpage

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"ldap-gateway/cloud/applications"
	"ldap-gateway/cloud/store"
)

// account is a person's own page.
type account struct {
	User         store.User
	SignedOn     store.SignedOn
	Groups       []store.GroupMembership
	Record       string // why the record may be old; empty when it was just refreshed
	Applications []link
	Sessions     []session
	Change       bool // of the password is possible
	Changed      bool // it was, a moment ago
}

// groupsShown is how many of a person's groups are named to them.
const groupsShown = 100

// More is how many groups there are besides those that are named; empty: none.
func (a account) More() string {
	if len(a.Groups) <= groupsShown {
		return ""
	}
	return strconv.Itoa(len(a.Groups) - groupsShown)
}

// Named are the groups that are named, the first by their names.
func (a account) Named() []store.GroupMembership { return a.Groups[:min(len(a.Groups), groupsShown)] }

// link leads to an application.
type link struct{ Name, Address string }

// session is where the person is signed on.
type session struct {
	store.PersonSession
	Here bool
}

// Others tells whether the person is signed on elsewhere, too.
func (a account) Others() bool {
	return slices.ContainsFunc(a.Sessions, func(s session) bool { return !s.Here })
}

// account shows who has signed on, where else they have, what they may go to, and how old what the cloud
// keeps of them may be. A person who was deleted meanwhile is 404.
func (k *call) account(by store.SignedOn) error {
	a := account{SignedOn: by, Changed: k.Sessions.manager.PopBool(k.Context(), changedKey(k.env.ID))}
	var err error
	if a.User, err = k.person(by); err != nil {
		return err
	}
	if a.Groups, err = k.Store.UserGroups(k.Context(), k.env.ID, by.UserID); err != nil {
		return err
	}
	if a.Applications, err = k.links(a.Groups); err != nil {
		return err
	}
	here := k.Sessions.id(k.Context(), k.env.ID)
	all, err := k.Store.PersonSessions(k.Context(), a.User)
	for _, s := range all {
		a.Sessions = append(a.Sessions, session{s, s.ID == here})
	}
	if err != nil {
		return err
	}
	if a.Change, err = k.mayChange(a.User); err != nil {
		return err
	}
	so, err := k.Store.SignOn(k.Context(), k.env.ID, by.SignOnID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if !so.Updated && so.Verdict == "" {
		a.Record = so.UpdateReason
	}
	return k.render(http.StatusOK, "account.html", "You are signed on", a)
}

// links returns the applications that somebody in some groups may go to: by their home page, or, where
// one of SAML may be begun here, by that.
func (k *call) links(groups []store.GroupMembership) (all []link, err error) {
	in := map[string]bool{}
	for _, g := range groups {
		in[g.Group.ID] = true
	}
	for cursor := ""; ; {
		some, next, err := k.Store.Applications(k.Context(), k.env.ID, store.Page{Limit: store.MaxLimit, Cursor: cursor})
		if err != nil {
			return nil, err
		}
		for _, a := range some {
			if to := k.home(a); to != "" && a.Enabled && a.AccessRule().Admits(in) {
				all = append(all, link{a.Name, to})
			}
		}
		if cursor = next; next == "" {
			return all, nil
		}
	}
}

// home is where an application begins; empty when that is not known. An address that a browser would not go
// to by the network is none.
func (k *call) home(a store.Application) string {
	if a.Kept.HomePage != nil {
		u, err := url.Parse(*a.Kept.HomePage)
		if err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") {
			return u.String()
		}
	}
	if a.Protocol == store.SAML && a.SAML.Unsolicited {
		return "/" + k.env.ID + applications.StartPath + "?" + url.Values{"spEntityId": {a.SAML.EntityID}}.Encode()
	}
	return ""
}

// mayChange tells whether somebody's directory takes another password from here.
func (k *call) mayChange(u store.User) (bool, error) {
	if u.GatewayID == "" {
		return false, nil
	}
	g, err := k.Store.Gateway(k.Context(), k.env.ID, u.GatewayID)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil && g.Enabled && slices.ContainsFunc(g.UserTypes, func(t store.UserType) bool {
		return t.ID == u.UserTypeID && t.AllowPasswords
	}), err
}

// endSessions signs the person off where the form says: in one place, or everywhere but here.
func (k *call) endSessions() error {
	by, ok, err := k.owner()
	if err != nil {
		return err
	}
	if !ok {
		return k.show()
	}
	u, err := k.person(by)
	if err != nil {
		return err
	}
	all, err := k.Store.PersonSessions(k.Context(), u)
	if err != nil {
		return err
	}
	here, wanted := k.Sessions.id(k.Context(), k.env.ID), k.PostForm.Get("session")
	for _, s := range all {
		if s.ID == here || wanted != "" && s.ID != wanted {
			continue
		}
		err := k.Store.EndPersonSession(k.Context(), k.env.ID, u.ID, s.ID)
		if err == nil {
			err = k.Flows.Ended(k.Context(), k.env.ID, s.SignedOn)
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	http.Redirect(k.w, k.Request, k.here(applications.Flow{}, nil), http.StatusSeeOther)
	return nil
}

// browserOf says in two words what a browser is, as it tells of itself; empty when it says nothing known.
func browserOf(agent string) string {
	// Most claim to be others as well: the first of these that is there is the true one.
	known := func(all ...[2]string) string {
		for _, one := range all {
			if strings.Contains(agent, one[0]) {
				return one[1]
			}
		}
		return ""
	}
	name := known([2]string{"Edg", "Edge"}, [2]string{"OPR/", "Opera"}, [2]string{"Firefox/", "Firefox"},
		[2]string{"FxiOS/", "Firefox"}, [2]string{"CriOS/", "Chrome"}, [2]string{"Chrome/", "Chrome"},
		[2]string{"Safari/", "Safari"}, [2]string{"curl/", "curl"})
	system := known([2]string{"Windows", "Windows"}, [2]string{"iPhone", "iPhone"}, [2]string{"iPad", "iPad"},
		[2]string{"Android", "Android"}, [2]string{"Mac OS " +
			"X", "macOS"}, [2]string{"CrOS", "ChromeOS"}, [2]string{"Linux", "Linux"})
	if name == "" || system == "" {
		return name + system
	}
	return name + ", " + system
}
