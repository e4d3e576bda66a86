package api

import (
	"slices"
	"time"

	"ldap-gateway/cloud/store"
)

// licenseBody is a license as compatible clients read them. Nothing goes by one.
type licenseBody struct {
	Links        links               `json:"_links"`
	ID           string              `json:"id"`
	Name         string              `json:"name"`
	Organization reference           `json:"organization"`
	Package      string              `json:"package"`
	Status       string              `json:"status"`
	BeginsAt     time.Time           `json:"beginsAt"`
	Count        int                 `json:"assignedEnvironmentsCount"`
	Environments licenseEnvironments `json:"environments"`
	Gateways     licenseGateways     `json:"gateways"`
	Users        licenseUsers        `json:"users"`
}

// What there is of what a license of compatible clients may allow.
type (
	licenseEnvironments struct {
		Production bool     `json:"allowProduction"`
		Schema     bool     `json:"allowCustomSchema"`
		Resources  bool     `json:"allowAddResources"`
		Regions    []string `json:"regions"`
	}
	licenseGateways struct {
		LDAP     bool `json:"allowLdapGateway"`
		Kerberos bool `json:"allowKerberosGateway"`
		Radius   bool `json:"allowRadiusGateway"`
	}
	licenseUsers struct {
		Providers bool `json:"allowIdentityProviders"`
		Passwords bool `json:"allowPasswordPolicy"`
	}
)

// licenses are this cloud's own, and those that the client's environments were made with:
// a configuration that was written for another cloud names its license.
func (s *Server) licenses(c *call) (all []licenseBody, err error) {
	environments, err := s.environmentsOf(c)
	if err != nil || c.PathValue("o") != derivedID("", "organization") {
		return nil, err
	}
	own := derivedID("", "license")
	count, ids := map[string]int{}, []string{own}
	for _, e := range environments {
		id := environmentFormOf(e).License.ID
		if count[id]++; !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	for _, id := range ids {
		b := s.showLicense(c, id, environments)
		b.Count = count[id]
		all = append(all, b)
	}
	return all, nil
}

// showLicense begins a license with the first environment that the client may open.
func (s *Server) showLicense(c *call, id string, of []store.Environment) licenseBody {
	organization := derivedID("", "organization")
	return licenseBody{
		Links:        links{"self": {c.root + "/v1/organizations/" + organization + "/licenses/" + id}},
		ID:           id,
		Name:         "ldap-cloud",
		Organization: reference{organization},
		Package:      "INTERNAL",
		Status:       "ACTIVE",
		BeginsAt:     of[0].CreatedAt,
		Environments: licenseEnvironments{Production: true, Regions: regions},
		Gateways:     licenseGateways{LDAP: true, Kerberos: true},
		Users:        licenseUsers{Providers: true},
	}
}

// listLicenses answers with the licenses of the one organization; 404 for another.
func (s *Server) listLicenses(c *call) (reply, error) {
	all, err := s.licenses(c)
	if err == nil && all == nil {
		err = store.ErrNotFound
	}
	if err != nil {
		return reply{}, err
	}
	return few(c, "licenses", all, func(b licenseBody) licenseBody { return b }, "id", "name", "package", "status")
}

// licenseOf is the license in the path.
func (s *Server) licenseOf(c *call) (licenseBody, error) {
	all, err := s.licenses(c)
	i := slices.IndexFunc(all, func(b licenseBody) bool { return b.ID == c.PathValue("id") })
	if err == nil && i < 0 {
		err = store.ErrNotFound
	}
	if err != nil {
		return licenseBody{}, err
	}
	return all[i], nil
}

// getLicense answers with one license.
func (s *Server) getLicense(c *call) (reply, error) {
	b, err := s.licenseOf(c)
	if err != nil {
		return reply{}, err
	}
	return ok(b)
}

// licenseName is the name of a license, at a path of its own.
type licenseName struct {
	Links links  `json:"_links"`
	Name  string `json:"name"`
}

// getLicenseName answers with the name of one license.
func (s *Server) getLicenseName(c *call) (reply, error) {
	b, err := s.licenseOf(c)
	if err != nil {
		return reply{}, err
	}
	return ok(licenseName{links{"self": {b.Links["self"].Href + "/name"}}, b.Name})
}
