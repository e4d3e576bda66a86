package api_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// A filter finds what is in its own environment, whatever is written into it.
func TestFilterStaysInItsEnvironment(t *testing.T) {
	s := start(t)
	other := s.settle("two") // has a user "ada" too
	for _, filter := range []string{
		`username sw ""`,
		`username eq "ada" or username sw ""`,
		`(username co "" or email co "") and username sw ""`,
		`id eq "` + other.user.ID + `" or username eq "x"`,
		`username eq "x' OR '1'='1"`,
		`username co "%"`,
		`username sw "_"`,
		`username eq "x\"\"; DROP TABLE users; --"`,
		`population.id eq "` + other.population.ID + `"`,
	} {
		a := s.send("GET", "/users?filter="+url.QueryEscape(filter), "").want(http.StatusOK)
		if strings.Contains(a.text, `"id":"`+other.user.ID+`"`) {
			t.Errorf("%s finds a user of another environment", filter)
		}
		if strings.ContainsAny(filter, "%_';") && a.at("count") != "0" {
			t.Errorf("%s finds %s", filter, a.at("count"))
		}
	}
	s.send("GET", "/users", "").want(http.StatusOK).has("count", "1")
	for _, filter := range []string{
		`username eq "a" or 1=1`,
		`username eq "a") or (username sw ""`,
		`environment_id eq "x"`,
		`u.id eq "x"`,
		`username eq 'a'`,
	} {
		s.send("GET", "/users?filter="+url.QueryEscape(filter), "").refuses("filter")
	}
}
