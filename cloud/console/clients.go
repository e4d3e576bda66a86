package console

import (
	"net/http"

	"ldap-gateway/cloud/management"
	"ldap-gateway/cloud/store"
)

// clientList is the page of API clients.
type clientList struct {
	Clients     []clientShown
	Roles       []store.Role
	TokenURL    string
	Environment string
	Name        string
	Made        store.Client
	Secret      string // of Made, shown this once
	Errors      map[string]string
}

// clientShown is an API client with what is good of it now.
type clientShown struct {
	store.Client
	TwoSecrets bool // the one before is good as well
}

func (c *console) listClients(k *call) error {
	return c.renderClients(k, http.StatusOK, clientList{})
}

// renderClients shows clients with what an integrator needs beside the secret: the
// environment's ID and where tokens are asked for.
func (c *console) renderClients(k *call, status int, list clientList) error {
	list.Roles, list.Environment, list.TokenURL = management.ClientRoles(), k.env(), c.URL+"/"+k.env()+"/as/token"
	all, err := c.Store.Clients(k.Context(), k.env())
	if err != nil {
		return err
	}
	for _, one := range all {
		list.Clients = append(list.Clients, clientShown{one, one.Former.Good(c.now())})
	}
	return k.render(status, "clients", "API clients", list)
}

// addClient answers with the secret in the page itself rather than with a redirect: the
// store has only its hash, so that it cannot be shown again.
func (c *console) addClient(k *call) error {
	made := store.Client{Name: k.posted("name"), Role: store.Role(k.posted("role"))}
	secret, err := c.Management.CreateClient(k.Context(), k.by(), &made)
	if wrong, ok := faults(err); ok {
		return c.renderClients(k, http.StatusUnprocessableEntity, clientList{Name: made.Name, Errors: wrong})
	}
	if err != nil {
		return err
	}
	return c.renderClients(k, http.StatusOK, clientList{Made: made, Secret: secret})
}

// renewClient makes a new secret and shows it this once. The one before stays good for as long as was
// chosen; when that is not at all, what it had opened ends with it, access tokens too.
func (c *console) renewClient(k *call) error {
	client, secret, err := c.Management.RenewClient(k.Context(), k.by(), k.PathValue("id"), c.keptUntil(k))
	if wrong, ok := faults(err); ok {
		return c.askClientSecret(k, wrong)
	}
	if err != nil {
		return err
	}
	return c.renderClients(k, http.StatusOK, clientList{Made: client, Secret: secret})
}

// endClientSecret has the secret before the present one open nothing any more.
func (c *console) endClientSecret(k *call) error {
	client, err := c.Management.EndClientSecret(k.Context(), k.by(), k.PathValue("id"))
	if err != nil {
		return err
	}
	return k.done(clientsPath, "The secret of "+client.Name+" before the current one is not valid any more, nor are the "+
		"access tokens of the client.")
}

func (c *console) deleteClient(k *call) error {
	client, err := c.Management.DeleteClient(k.Context(), k.by(), k.PathValue("id"))
	if err != nil {
		return err
	}
	return k.done(
		clientsPath,
		"The API client "+client.Name+" was deleted; its access tokens open nothing.",
	)
}
