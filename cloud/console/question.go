package console

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"ldap-gateway/cloud/store"
)

// question asks before something is done that cuts people or programs off, and says whom.
// Its form goes to where it is shown, so that what is asked about and what is done have one
// address.
type question struct {
	Title, Button string
	Action        string   // where its form goes; empty: where it is shown
	Back          string   // where it is seen
	Text          []string // what comes of it, a paragraph each
	Fields        []property
	Count         int          // people whom it concerns; 0: nobody, or it is not about people
	More          bool         // Count was not counted to the end
	Who           string       // what they have to do with it, as in "have their passwords checked by it"
	Users         []store.User // some of them
	Groups        []groupGoing // that it is about
	Members       int          // of those of them that go, together
	OfGroups      int          // how many groups go, when they are not all named; More as of Count
	Keeps         []property   // for how long the secret before a new one stays good, to choose from; none: no choice
	Keep          string       // chosen
	Errors        map[string]string
}

// question shows a question; one that is shown again says what is wrong.
func (k *call) question(q question) error {
	status := http.StatusOK
	if len(q.Errors) > 0 {
		status = http.StatusUnprocessableEntity
	}
	return k.render(status, "question", q.Title, q)
}

// ofGateway says who has their password checked by a gateway.
func (c *console) ofGateway(k *call, q *question, gateway string) (err error) {
	d, err := c.deletionOf(k, deletion{}, gateway, "")
	q.Count, q.Users, q.Who = d.Count, d.Users, "have their passwords checked by it"
	return err
}

// ofProvider says who is linked to a provider.
func (c *console) ofProvider(k *call, q *question, provider string) (err error) {
	q.Who = "are linked to it"
	if q.Count, err = c.Store.LinkedUsers(k.Context(), k.env(), provider); err == nil {
		q.Users, err = c.Store.SomeLinkedUsers(k.Context(), k.env(), provider)
	}
	return err
}

// ofApplication says for whom an application holds tokens. Of one of SAML nothing is known.
func (c *console) ofApplication(k *call, q *question, application string) (err error) {
	q.Who = "are signed on for it now"
	if q.Users, q.Count, err = c.Store.TokenUsers(k.Context(), k.env(), application); err == nil {
		q.More = q.Count > store.PeopleCounted
		q.Count = min(q.Count, store.PeopleCounted)
	}
	return err
}

func (c *console) askSwitchGateway(k *call) error {
	g, err := c.gateway(k)
	if err != nil {
		return err
	}
	q := question{
		Title:  "Disable the gateway “" + g.Name + "”",
		Button: "Disable",
		Back:   under("gateways", g.ID),
		Text: []string{
			"Nobody signs on through it until it is enabled again. Its instances stay paired, and who has signed on stays so.",
		},
		Fields: []property{{"enabled", "no"}},
	}
	if err := c.ofGateway(k, &q, g.ID); err != nil {
		return err
	}
	return k.question(q)
}

func (c *console) askStopKerberos(k *call) error {
	g, err := c.gateway(k)
	if err != nil {
		return err
	}
	q := question{
		Title:  "Take no tickets any more",
		Button: "Turn Kerberos off",
		Back:   under("gateways", g.ID, "kerberos"),
		Text: []string{
			"The keys of " + g.Name + " are deleted. Who signed on by a ticket types a password from now on. " +
				"To take tickets again, upload a keytab anew.",
		},
	}
	if err := c.ofGateway(k, &q, g.ID); err != nil {
		return err
	}
	return k.question(q)
}

func (c *console) askDeleteKeys(k *call) error {
	g, err := c.gateway(k)
	if err != nil {
		return err
	}
	sets, err := c.Store.KerberosKeys(k.Context(), k.env(), g.ID, c.now())
	if err != nil {
		return err
	}
	i := slices.IndexFunc(sets, func(s store.KerberosKeys) bool { return s.ID == k.PathValue("id") })
	if i < 0 {
		return store.ErrNotFound
	}
	q := question{
		Title:  "Delete Kerberos keys",
		Button: "Delete",
		Back:   under("gateways", g.ID, "kerberos"),
		Text: []string{"Tickets that were made with them are not taken any more: who has one types a password, or " +
			"signs in anew at their machine."},
	}
	if sets[i].ExpiresAt.IsZero() {
		q.Text = append(q.Text, "These keys are in use now.")
	}
	if err := c.ofGateway(k, &q, g.ID); err != nil {
		return err
	}
	return k.question(q)
}

func (c *console) askSwitchProvider(k *call) error {
	p, err := c.provider(k)
	if err != nil {
		return err
	}
	q := question{
		Title:  "Disable the identity provider “" + p.Name + "”",
		Button: "Disable",
		Back:   under("providers", p.ID),
		Text: []string{
			"Nobody signs on through it until it is enabled again, and who has signed on through it is signed off: " +
				"sessions here, and what applications hold for them, end.",
		},
		Fields: []property{{"enabled", "no"}},
	}
	if err := c.ofProvider(k, &q, p.ID); err != nil {
		return err
	}
	return k.question(q)
}

func (c *console) askDropCertificate(k *call) error {
	p, err := c.provider(k)
	if err != nil {
		return err
	}
	one, err := c.Store.Certificate(k.Context(), k.env(), k.PathValue("id"))
	if err != nil {
		return err
	}
	if p.Config.SAML == nil || !slices.Contains(p.Config.SAML.CertificateIDs, one.ID) {
		return store.ErrNotFound
	}
	q := question{
		Title:  "Take a certificate off “" + p.Name + "”",
		Button: "Take off",
		Back:   under("providers", p.ID),
		Text: []string{"What the provider signs with its key is refused from then on. If it is the one that it signs " +
			"with now, nobody signs on through it."},
	}
	if err := c.ofProvider(k, &q, p.ID); err != nil {
		return err
	}
	return k.question(q)
}

// askApplication asks about the application in the path.
func (c *console) askApplication(k *call, about func(store.Application) question) error {
	a, err := c.application(k)
	if err != nil {
		return err
	}
	q := about(a)
	q.Back = under("applications", a.ID)
	if err := c.ofApplication(k, &q, a.ID); err != nil {
		return err
	}
	return k.question(q)
}

func (c *console) askSwitchApplication(k *call) error {
	return c.askApplication(k, func(a store.Application) question {
		return question{
			Title:  "Disable the application “" + a.Name + "”",
			Button: "Disable",
			Text:   []string{endOf(a, "until it is enabled again")},
			Fields: []property{{"enabled", "no"}},
		}
	})
}

func (c *console) askDeleteApplication(k *call) error {
	return c.askApplication(k, func(a store.Application) question {
		return question{
			Title:  "Delete the application “" + a.Name + "”",
			Button: "Delete",
			Text:   []string{endOf(a, "any more"), "To make it again takes its new ID, and a new secret, there."},
		}
	})
}

// endOf says what becomes of an application's people.
func endOf(a store.Application, until string) string {
	if a.Protocol == store.SAML {
		return "Nobody signs on for it " + until + ". Sessions that are open there go on until they end."
	}
	return "Nobody signs on for it " + until + ", and its tokens open nothing."
}

// keeps are for how long the secret before a new one can stay good, in hours. The first is that
// which is chosen unless somebody chooses.
func keeps() []property {
	return []property{
		{"24", "24 hours"},
		{"1", "1 hour"},
		{"168", "7 days"},
		{"720", "30 days"},
		{"0", "not at all: it is known to somebody whom it should not be"},
	}
}

// keptUntil reads until when the secret before stays good; the zero time for no longer.
func (c *console) keptUntil(k *call) time.Time {
	hours, err := strconv.Atoi(k.posted("keep"))
	if err != nil || hours <= 0 {
		return time.Time{}
	}
	return c.now().Add(time.Duration(hours) * time.Hour)
}

func (c *console) askMakeSecret(k *call) error { return c.askSecret(k, nil) }

// askSecret is askMakeSecret, with what is wrong with what was chosen.
func (c *console) askSecret(k *call, wrong map[string]string) error {
	return c.askApplication(k, func(a store.Application) question {
		q := question{
			Errors: wrong,
			Title:  "Make a new secret for “" + a.Name + "”",
			Button: "Make a new secret",
			Text: []string{"It is shown once. Put it where the application has its secret, before the current one ends: " +
				"without it nobody signs on for it."},
		}
		if a.SecretHash != nil {
			q.Keeps, q.Keep = keeps(), keeps()[0].Name
		}
		if a.Former.Good(c.now()) {
			q.Text = append(q.Text, "The secret before the current one is valid still, until "+when(a.Former.Until)+". It ends "+
				"at once then.")
		}
		return q
	})
}

// askEndSecret asks before the former secret of an application ends.
func (c *console) askEndSecret(k *call) error {
	a, err := c.application(k)
	if err != nil {
		return err
	}
	if !a.Former.Good(c.now()) {
		return store.ErrNotFound
	}
	return c.askApplication(k, func(store.Application) question {
		return question{
			Title:  "End the secret before",
			Button: "End it now",
			Text: []string{"Who still uses it for “" + a.Name + "” is refused from then on: see first that the " +
				"application has the new one."},
		}
	})
}

// keyInPath is the key of ours in the path, or store.ErrNotFound.
func (c *console) keyInPath(k *call) (store.Certificate, error) {
	one, err := c.Store.Certificate(k.Context(), k.env(), k.PathValue("id"))
	if err == nil && len(one.Sealed) == 0 {
		err = store.ErrNotFound
	}
	return one, err
}

// askChooseKey asks before another key signs for applications of SAML.
func (c *console) askChooseKey(k *call) error {
	one, err := c.keyInPath(k)
	if err != nil {
		return err
	}
	return k.question(question{
		Title:  "Sign with another key",
		Button: "Sign with it",
		Back:   keysOf(k.query("back")),
		Text: []string{"Every application of SAML that names no key of its own gets answers by “" + one.Name + "” at " +
			"once. One that has not read our metadata since the key was made, or has not been given its certificate, " +
			"refuses everybody."},
		Fields: []property{{"back", k.query("back")}},
	})
}

// askDeleteKey asks before a key goes.
func (c *console) askDeleteKey(k *call) error {
	one, err := c.keyInPath(k)
	if err != nil {
		return err
	}
	return k.question(question{
		Title:  "Delete the key “" + one.Name + "”",
		Button: "Delete",
		Back:   keysOf(k.query("back")),
		Text: []string{"It goes from our metadata, and what was signed or encrypted with it is not read any more. One " +
			"that something uses is not deleted."},
		Fields: []property{{"back", k.query("back")}},
	})
}
