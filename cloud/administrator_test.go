package cloud

import (
	"errors"
	"regexp"
	"testing"

	"ldap-gateway/cloud/store"
)

// Who is locked out gets in again, also while the cloud runs.
func TestResetAdministrator(t *testing.T) {
	s := startSiege(t)
	s.signIn()
	if _, err := ResetAdministrator(t.Context(), InFolder(s.data), "nobody"); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
	secret, err := ResetAdministrator(t.Context(), InFolder(s.data), "ADMIN")
	must(t, err)
	if page := s.page("/console/users"); !regexp.MustCompile(`action="/console/sign-in"`).MatchString(page) {
		t.Error("the session of before is still good")
	}
	s.secret = secret
	s.signIn()
}
