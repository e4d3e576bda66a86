package cloud

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"ldap-gateway/cloud/api"
	"ldap-gateway/cloud/handbook"
	"ldap-gateway/cloud/samlidp"
	"ldap-gateway/cloud/signonpage"
	"ldap-gateway/cloud/throttle"
	"ldap-gateway/configs"
)

// What the handbook says of the bounds that a big morning meets is so: each number, and the alert that tells of it.
func TestCeilingsAreThoseOfTheHandbook(t *testing.T) {
	page, _ := handbook.Source("operating")
	_, page, _ = strings.Cut(page, "## What a big morning meets\n")
	page, _, _ = strings.Cut(page, "\n## ")
	rows := map[string][]string{}
	for line := range strings.SplitSeq(page, "\n") {
		if cells := strings.Split(line, " | "); strings.HasPrefix(line, "| ") && len(cells) == 5 {
			rows[strings.TrimPrefix(cells[0], "| ")] = cells
		}
	}
	delete(rows, "what")
	b := newBounds(&throttle.Bounds{})
	file, err := configs.Parse("gateway.hcl", []byte(strings.Replace(configs.Minimal, `file("/etc/ldap-gateway/bind.password")`, `"secret"`, 1)))
	must(t, err)
	for what, row := range map[string]struct {
		told string
		most string
	}{
		"sign-ons of an agent": {"`signOnsLimited`", count(file.Policy.SignOnsPerMinute) + " a minute"},
		"sign-ons under way": {bound(throttle.SignOns), fmt.Sprintf("%s; %s of one environment; %s of one neighbourhood; %s of one network",
			count(b.signOns.Places), count(b.signOns.OfOwner), count(b.signOns.OfNear), count(b.signOns.OfNetwork))},
		"sign-ons under way at a gateway": {bound(throttle.GatewaySignOns),
			fmt.Sprintf("%s, and %s that wait", count(b.atGateway.OfOwner), count(b.atGateway.Waiting))},
		"requests of an API client": {bound(throttle.Requests), count(api.DefaultRequests) + " a minute, a sixth of them at once"},
		"tokens, user info and groups under way": {bound(throttle.Tokens), fmt.Sprintf("%s; %s of one environment; %s of one network",
			count(b.tokens.Places), count(b.tokens.OfOwner), count(b.tokens.OfNetwork))},
		"messages of SAML applications": {bound(throttle.Messages), count(samlidp.MostOfNetwork) + " a minute of one network"},
		"journeys to identity providers, and answers of them": {bound(throttle.Answers),
			fmt.Sprintf("%s and %s a minute of one network", count(signonpage.MostJourneys), count(signonpage.MostAnswers))},
	} {
		cells := rows[what]
		if cells == nil || !strings.HasPrefix(cells[1], row.most) || !strings.Contains(cells[3], row.told) {
			t.Errorf("%s: the handbook says %q, it is %q, told by %s", what, cells, row.most, row.told)
		}
		delete(rows, what)
	}
	if len(rows) > 0 {
		t.Errorf("nobody looks whether this is so: %v", rows)
	}
}

// count is a number as the handbook writes it.
func count(n int) string {
	text := strconv.Itoa(n)
	if len(text) > 4 || n >= 1000 {
		return text[:len(text)-3] + "," + text[len(text)-3:]
	}
	return text
}

func bound(k throttle.Kind) string { return fmt.Sprintf("`boundReached` (`%s`)", k) }
