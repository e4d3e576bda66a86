package console

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"golang.org/x/text/language"
	english "golang.org/x/text/message"

	"ldap-gateway/cloud/management"
	"ldap-gateway/cloud/store"
)

// overview is the first page: what is to be done before anybody can sign on, and then how
// sign-ons fare.
type overview struct {
	Counts   store.Counts
	Steps    []step // empty: somebody has signed on
	Alerts   []store.Alert
	Gateways []gatewayRow
	Stored   string // of the database, in megabytes; empty: not known
	Spans    []span
	Span     span
	Chart    chart
	Lagging  bool // sign-ons of before are still being counted
}

// step is one of what is to be done first.
type step struct {
	Text, Help, Link string
	Done             bool
}

// span is a time that the overview looks back over, in bars.
type span struct {
	Key, Name string
	Bars      int
	Bar       time.Duration // whole hours
}

var spans = [...]span{
	{"day", "24 hours", 24, time.Hour},
	{"week", "7 days", 28, 6 * time.Hour},
	{"month", "30 days", 30, 24 * time.Hour},
}

// showOverview answers the first page. What it counts of sign-ons was counted before, but
// for the last hours.
func (c *console) showOverview(k *call) (err error) {
	page := overview{Spans: spans[:], Span: spans[0]}
	if i := slices.IndexFunc(spans[:], func(s span) bool { return s.Key == k.query("span") }); i >= 0 {
		page.Span = spans[i]
	}
	if page.Counts, err = c.Store.Counts(k.Context(), k.env()); err != nil {
		return err
	}
	if management.May(k.admin.Role, management.CreateGateway) {
		if page.Steps, err = c.firstSteps(k); err != nil {
			return err
		}
	}
	if page.Alerts, err = c.Store.Alerts(k.Context(), k.env()); err != nil {
		return err
	}
	if page.Stored, err = c.stored(k); err != nil {
		return err
	}
	list, err := c.gatewayList(k)
	if err != nil {
		return err
	}
	page.Gateways = list.Gateways
	if err := c.draw(k, &page); err != nil {
		return err
	}
	return k.render(http.StatusOK, "overview", "Overview", page)
}

// draw counts the sign-ons of the span. Bars end at whole hours, the last one after now.
func (c *console) draw(k *call, page *overview) error {
	now := c.now().UTC()
	end := now.Truncate(time.Hour).Add(time.Hour)
	from := end.Add(-time.Duration(page.Span.Bars) * page.Span.Bar)
	counts, whole, err := c.Store.HourCounts(k.Context(), k.env(), from, now)
	if err != nil {
		return err
	}
	page.Chart, page.Lagging = chartOf(counts, from, page.Span), !whole
	return nil
}

// stored says how large the database is; empty when it is not known.
func (c *console) stored(k *call) (string, error) {
	if c.Bytes == nil {
		return "", nil
	}
	bytes, err := c.Bytes(k.Context())
	return fmt.Sprintf("%.1f MB", float64(bytes)/1e6), err
}

// firstSteps returns what is to be done until somebody can sign on; none once somebody has.
func (c *console) firstSteps(k *call) ([]step, error) {
	signOns, _, err := c.Store.SignOns(k.Context(), k.env(), store.SignOnFilter{}, store.Page{Limit: rows})
	if err != nil || slices.ContainsFunc(signOns, func(s store.SignOn) bool { return s.Outcome == store.SignedOnOK }) {
		return nil, err
	}
	users, _, err := c.Store.Users(k.Context(), k.env(), store.UserFilter{}, store.Page{Limit: 1})
	if err != nil || len(users) > 0 {
		return nil, err
	}
	gateways, _, err := c.Store.Gateways(k.Context(), k.env(), store.Page{Limit: 1})
	if err != nil {
		return nil, err
	}
	return c.stepsOf(k, gateways)
}

// stepsOf says how far the first gateway is.
func (c *console) stepsOf(k *call, gateways []store.Gateway) ([]step, error) {
	all := []step{
		{Text: "Make a gateway", Help: "It joins one directory.", Link: "/console/gateways/new"},
		{Text: "New user type", Help: "Where people are in the directory, and what the cloud keeps of them."},
		{Text: "Pair an instance", Help: "On a machine near the directory; it shows a code to compare."},
		{
			Text: "Sign on",
			Help: "As somebody of the directory, on the page that people see.",
			Link: c.URL + "/" + k.env() + "/signon",
		},
	}
	if len(gateways) == 0 {
		return all, nil
	}
	g := gateways[0]
	instances, err := c.Store.Instances(k.Context(), k.env(), g.ID)
	if err != nil {
		return nil, err
	}
	paired := slices.ContainsFunc(instances, func(i store.Instance) bool { return i.RevokedAt.IsZero() })
	all[0].Link, all[0].Done = under("gateways", g.ID), true
	all[1].Link, all[1].Done = under("gateways", g.ID, "user-types", "new"), len(g.UserTypes) > 0
	all[2].Link, all[2].Done = under("gateways", g.ID), paired
	return all, nil
}

// Many writes a count that goes no further than 100,000.
func (overview) Many(n int) string {
	if n > store.CountedTo {
		return "more than 100,000"
	}
	return english.NewPrinter(language.English).Sprint(n)
}
