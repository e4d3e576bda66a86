package console

import (
	"net/http"

	"ldap-gateway/cloud/management"
	"ldap-gateway/cloud/store"
)

// clientList is the page of API clients.
type clientList struct {
	Clients     []store.Client
	Roles       []store.Role
	TokenURL    string
	Environment string
	Name        string
	Made        store.Client
	Secret      string // of Made, shown this once
	Errors      map[string]string
}

func (c *console) listClients(k *call) error {
	return c.renderClients(k, http.StatusOK, clientList{})
}

// renderClients shows clients with what an integrator needs beside the secret: the
// environment's ID and where tokens are asked for.
func (c *console) renderClients(k *call, status int, list clientList) (err error) {
	list.Roles, list.Environment, list.TokenURL = management.ClientRoles(), k.env(), c.URL+"/"+k.env()+"/as/token"
	if list.Clients, err = c.Store.Clients(k.Context(), k.env()); err != nil {
		return err
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

// renewClient makes a new secret and shows it this once.
// What the old one had opened ends with it, access tokens too.
func (c *console) renewClient(k *call) error {
	client, secret, err := c.Management.RenewClient(k.Context(), k.by(), k.PathValue("id"))
	if err != nil {
		return err
	}
	return c.renderClients(k, http.StatusOK, clientList{Made: client, Secret: secret})
}

func (c *console) deleteClient(k *call) error {
	client, err := c.Management.DeleteClient(k.Context(), k.by(), k.PathValue("id"))
	if err != nil {
		return err
	}
	return k.done(
		"/console/settings/clients",
		"The API client "+client.Name+" was deleted; its access tokens open nothing.",
	)
}
