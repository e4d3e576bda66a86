package cloud

import (
	"bytes"
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
	var out, problems bytes.Buffer
	if code := Main(t.Context(), []string{"administrator", "reset", "--data", s.data, "ADMIN"}, &out, &problems); code != ExitOK {
		t.Fatalf("%d: %s", code, &problems)
	}
	if page := s.page("/console/users"); !regexp.MustCompile(`action="/console/sign-in"`).MatchString(page) {
		t.Error("the session of before is still good")
	}
	s.secret = regexp.MustCompile(`(?m)^  (\S{20})$`).FindStringSubmatch(out.String())[1]
	s.signIn()
}
