package console_test

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
)

// ending is a state in which somebody may see no page any more, and who it is of.
type ending struct {
	member bool // a user by the role of a group, who came through an identity provider
	do     func(s *site, v *visitor, f filled)
}

var endings = map[string]ending{
	"signed out": {false, func(_ *site, v *visitor, _ filled) {
		v.post("/console/sign-out").is(http.StatusSeeOther)
	}},
	"password changed": {false, func(s *site, _ *visitor, _ filled) {
		a := s.second()
		a.PasswordHash += "anew"
		s.must(s.store.UpdateAdministrator(s.t.Context(), &a))
	}},
	"set up anew": {false, func(s *site, _ *visitor, _ filled) {
		s.must(s.store.ResetAdministrator(s.t.Context(), s.env.ID, s.second().ID, []byte("hash"), s.clock().Add(time.Hour)))
	}},
	"administrator deleted": {false, func(s *site, _ *visitor, _ filled) {
		s.must(s.store.DeleteAdministrator(s.t.Context(), s.env.ID, s.second().ID))
	}},
	"member signed out": {true, func(_ *site, v *visitor, _ filled) {
		v.post("/console/sign-out").is(http.StatusSeeOther)
	}},
	"member left the group": {true, func(s *site, _ *visitor, f filled) {
		s.must(s.store.RemoveMember(s.t.Context(), s.env.ID, f.user.ID, f.jit.ID))
	}},
	"group lost the role": {true, func(s *site, _ *visitor, f filled) {
		s.must(s.store.SetRoleGroup(s.t.Context(), store.RoleGroup{EnvironmentID: s.env.ID, GroupID: f.jit.ID}))
	}},
	"user disabled": {true, func(s *site, _ *visitor, f filled) {
		f.user.Enabled = false
		s.must(s.store.UpdateUser(s.t.Context(), &f.user))
	}},
	"user deleted": {true, func(s *site, _ *visitor, f filled) {
		s.must(s.store.DeleteUser(s.t.Context(), s.env.ID, f.user.ID))
	}},
	"user signed off everywhere": {true, func(s *site, _ *visitor, f filled) {
		s.must(s.store.SignOffUser(s.t.Context(), s.env.ID, f.user.ID))
	}},
	"provider disabled": {true, func(s *site, _ *visitor, f filled) {
		f.openID.Enabled = false
		s.must(s.store.UpdateIdentityProvider(s.t.Context(), &f.openID))
	}},
	"provider deleted": {true, func(s *site, _ *visitor, f filled) {
		s.must(s.store.DeleteIdentityProvider(s.t.Context(), s.env.ID, f.openID.ID, true))
	}},
}

// second returns an administrator beside the first, who is never the last owner.
func (s *site) second() store.Administrator {
	s.t.Helper()
	a, err := s.store.Administrator(s.t.Context(), "second")
	s.must(err)
	return a
}

// TestStatesAreLookedAtWhenUsed has each state in which nobody may see a page any more end
// the stream that is under way, and the session, whoever has its cookie.
func TestStatesAreLookedAtWhenUsed(t *testing.T) {
	for name, e := range endings {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			s := open(t)
			f := s.fill(s.env.ID, "")
			v := s.comes(e.member, f)
			thief := &visitor{s, &http.Client{Jar: v.client.Jar, CheckRedirect: v.client.CheckRedirect}}
			cookie := v.token()
			over := v.streams()
			e.do(s, v, f)
			<-over
			r, err := http.NewRequestWithContext(t.Context(), "GET", s.url+"/console/users", nil)
			s.must(err)
			thief.client.Jar = nil
			r.AddCookie(&http.Cookie{Name: "ldap-cloud-console", Value: cookie})
			thief.do(r).is(http.StatusSeeOther)
		})
	}
}

// comes returns a visitor who is an owner, or a user whose group has a role.
func (s *site) comes(member bool, f filled) *visitor {
	s.t.Helper()
	if !member {
		s.must(s.store.CreateAdministrator(s.t.Context(), &store.Administrator{
			EnvironmentID: s.env.ID,
			Name:          "second",
			Role:          store.RoleOwner,
		}))
		return s.signIn("second")
	}
	s.must(s.store.SetRoleGroup(s.t.Context(), store.RoleGroup{
		EnvironmentID: s.env.ID,
		GroupID:       f.jit.ID,
		Role:          store.RoleReadOnly,
	}))
	f.openID.Enabled = true
	s.must(s.store.UpdateIdentityProvider(s.t.Context(), &f.openID))
	s.people.by = store.SignedOn{UserID: f.user.ID, Method: store.ByIDP, ProviderID: f.openID.ID}
	v := s.visitor()
	v.get("/console/organisation?e=" + s.env.ID).is(http.StatusSeeOther)
	return v
}

// streams has the visitor wait for activities; what is returned is closed when the server
// ended the stream, long before it would by itself.
func (v *visitor) streams() <-chan struct{} {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.t.Context(), 30*time.Second)
	v.t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, "GET", v.url+"/console/activity/live", nil)
	v.must(err)
	resp, err := v.client.Do(r)
	v.must(err)
	v.t.Cleanup(func() { _ = resp.Body.Close() })
	lines := bufio.NewScanner(resp.Body)
	if !lines.Scan() || !strings.HasPrefix(lines.Text(), "retry:") {
		v.t.Fatalf("%d %q", resp.StatusCode, lines.Text())
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		for lines.Scan() {
		}
		if err := lines.Err(); err != nil {
			v.t.Errorf("the stream went on: %v", err)
		}
	}()
	return over
}
