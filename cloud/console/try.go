package console

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"ldap-gateway/cloud/hub"
	"ldap-gateway/cloud/mapping"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloudlink/wire"
)

// tryTime is how long the agent has for all user types.
const tryTime = 20 * time.Second

// tryPage shows what a sign-on of a person would bring.
type tryPage struct {
	Gateway store.Gateway
	Name    string
	Tried   []tried
}

// tried is what one user type leads to.
type tried struct {
	UserType store.UserType
	wire.Explained
	Properties []property // of the record, as the mapping makes them
	Known      *store.User
}

// Found tells whether the user type leads to one entry.
func (t tried) Found() bool { return t.Outcome == wire.OutcomeOK && t.Entry != nil }

// Nobody tells whether it leads to none.
func (t tried) Nobody() bool { return t.Outcome == wire.OutcomeNoSuchUser }

func (c *console) showTry(k *call) error {
	g, err := c.gateway(k)
	if err != nil {
		return err
	}
	return k.render(http.StatusOK, "try", "Try a person", tryPage{Gateway: g})
}

// tryPerson asks the agent. Who asked about whom is recorded.
// No password is asked for, and nothing is written but that. What cannot be recorded is
// not asked.
func (c *console) tryPerson(k *call) error {
	g, err := c.gateway(k)
	if err != nil {
		return err
	}
	page := tryPage{Gateway: g, Name: k.posted("name")}
	if page.Name == "" {
		return k.goTo(under("gateways", g.ID, "try"))
	}
	if err := c.Management.TriedPerson(k.Context(), k.by(), g.ID, page.Name); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(k.Context(), tryTime)
	defer cancel()
	for _, t := range g.UserTypes {
		one := tried{
			UserType: t,
			Explained: c.Links.Explain(ctx, hub.Request{
				ID:         uuid.Must(uuid.NewV7()).String(),
				Gateway:    g.ID,
				UserType:   t.ID,
				Revision:   g.Revision,
				Identifier: page.Name,
			}),
		}
		if one.Found() {
			one.Properties = properties(mapping.Properties(t, one.Entry.Attributes))
			if one.Known, err = c.known(k, g, one.Entry.Correlation); err != nil {
				return err
			}
		}
		page.Tried = append(page.Tried, one)
	}
	return k.render(http.StatusOK, "try", "Try a person", page)
}

// known returns the user that an entry belongs to already; nil when there is none,
// or more than one.
// Values are tried in the order in which they came, and one that several users have
// says nothing.
func (c *console) known(k *call, g store.Gateway, correlation []wire.Correlation) (*store.User, error) {
	for _, v := range correlation {
		users, err := c.Store.UsersByCorrelation(k.Context(), k.env(), g.ID, v.Attribute, v.Value)
		if err != nil {
			return nil, err
		}
		if len(users) == 1 {
			return &users[0], nil
		}
	}
	return nil, nil
}
