package console

import (
	"net/http"

	"ldap-gateway/cloud/api"
	"ldap-gateway/cloud/store"
)

// clientRoles are those that an API client may have.
func clientRoles() []store.Role {
	return []store.Role{store.RoleIdentityAdmin, store.RoleReadOnly, store.RoleSignOn}
}

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

func (c *console) renderClients(k *call, status int, list clientList) (err error) {
	list.Roles, list.Environment, list.TokenURL = clientRoles(), k.env(), c.URL+"/"+k.env()+"/as/token"
	if list.Clients, err = c.Store.Clients(k.Context(), k.env()); err != nil {
		return err
	}
	return k.render(status, "clients", "API clients", list)
}

// notingClient returns the store, which adds to what is written what was done to
// an API client.
func (k *call) notingClient(action, done string, client *store.Client) *store.Store {
	return k.noting(func() note {
		return note{"client." + action, "client:" + client.ID, "API client " + client.Name + " was " + done, map[string]any{"role": client.Role}}
	})
}

func (c *console) addClient(k *call) error {
	name, role, faults := k.postedNew("client", clientRoles()...)
	made, list := store.Client{EnvironmentID: k.env(), Name: name, Role: role}, clientList{Name: name, Errors: faults}
	if len(list.Errors) > 0 {
		return c.renderClients(k, http.StatusUnprocessableEntity, list)
	}
	var secret string
	secret, made.SecretHash = api.NewSecret()
	if err := k.notingClient("created", "made", &made).CreateClient(k.Context(), &made); err != nil {
		return err
	}
	return c.renderClients(k, http.StatusOK, clientList{Made: made, Secret: secret})
}

// renewClient makes a new secret and shows it this once.
func (c *console) renewClient(k *call) error {
	client, err := c.Store.Client(k.Context(), k.env(), k.PathValue("id"))
	if err != nil {
		return err
	}
	var secret string
	secret, client.SecretHash = api.NewSecret()
	if err := k.notingClient("updated", "given a new secret", &client).UpdateClient(k.Context(), &client); err != nil {
		return err
	}
	return c.renderClients(k, http.StatusOK, clientList{Made: client, Secret: secret})
}

func (c *console) deleteClient(k *call) error {
	client, err := c.Store.Client(k.Context(), k.env(), k.PathValue("id"))
	if err != nil {
		return err
	}
	if err := k.notingClient("deleted", "deleted", &client).DeleteClient(k.Context(), k.env(), client.ID); err != nil {
		return err
	}
	return k.done("/console/settings/clients", "The API client "+client.Name+" was deleted; its access tokens open nothing.")
}
