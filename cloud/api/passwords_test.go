package api_test

import (
	"net/http"
	"strings"
	"testing"

	"ldap-gateway/cloud/api"
	"ldap-gateway/cloudlink/wire"
)

func TestChangePassword(t *testing.T) {
	s := start(t)
	path := "/users/" + s.user.ID + "/password"
	s.signOns.changed = api.ChangeAnswer{Outcome: wire.OutcomeOK}
	body := `{"currentPassword":"s3cret \u00e9","newPassword":"s3cret 2","address":"10.1.2.3"}`
	a := s.send("PUT", path, body).want(http.StatusOK).has("status", "EXTERNAL")
	asked := s.signOns.change
	if s.signOns.password != "s3cret é s3cret 2" || asked.EnvironmentID != s.env || asked.Username != "ada" ||
		asked.Address != "10.1.2.3" || asked.Actor != "client:"+s.client {
		t.Errorf("asked %+v", asked)
	}
	if strings.Trim(string(asked.Current)+string(asked.New), "\x00") != "" || strings.Contains(a.text, "s3cret") {
		t.Error("a password is still in memory, or told")
	}
	s.send("PUT", path, `{"newPassword":"x"}`).refuses("currentPassword")
	s.send("PUT", path, `{"currentPassword":"x"}`).refuses("newPassword")
	s.send("PUT", "/users/none/password", body).want(http.StatusNotFound)
}

func TestPasswordThatIsNotChanged(t *testing.T) {
	s := start(t)
	for outcome, want := range map[wire.Outcome]struct {
		status int
		target string
	}{
		wire.OutcomeInvalidCredentials:   {http.StatusBadRequest, "currentPassword"},
		wire.OutcomeNotAllowed:           {http.StatusBadRequest, "currentPassword"},
		wire.OutcomeNewPasswordRefused:   {http.StatusBadRequest, "newPassword"},
		wire.OutcomeBusy:                 {http.StatusTooManyRequests, ""},
		wire.OutcomeUnknown:              {http.StatusServiceUnavailable, ""},
		wire.OutcomeDirectoryUnavailable: {http.StatusServiceUnavailable, ""},
	} {
		t.Run(outcome.String(), func(t *testing.T) {
			s.signOns.changed = api.ChangeAnswer{
				ID:      "c1",
				Outcome: outcome,
				Refusal: wire.RefusalTooShort,
				Message: "It was not.",
				Reason:  "because",
			}
			a := s.send("PUT", "/users/"+s.user.ID+"/password", `{"currentPassword":"x","newPassword":"y"}`).
				want(want.status).
				has(
					"message", "It was not.",
					"innerError.outcome", outcome.String(),
					"innerError.reason", "because",
					"innerError.change", "c1",
				)
			if want.target != "" {
				a.has("details.0.target", want.target, "details.0.message", "It was not.")
			}
			if outcome == wire.OutcomeNewPasswordRefused {
				a.has("innerError.refusal", "tooShort")
			}
		})
	}
}
