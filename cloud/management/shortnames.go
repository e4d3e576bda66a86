package management

import (
	"context"
	"errors"
	"regexp"
	"slices"

	"ldap-gateway/cloud/fault"
	"ldap-gateway/cloud/store"
)

// shortName is what may stand in an address for an environment. It is shorter than an ID, so
// that none looks like one.
var shortName = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$`)

// ReservedNames are first parts of addresses that lead elsewhere, so that no environment is
// called so.
func ReservedNames() []string {
	return []string{"as", "console", "link", "live", "ready", "signon", "v1"}
}

// ownNames lead nowhere, but people would take them for the cloud's own.
func ownNames() []string {
	return []string{"admin", "api", "help", "login", "metrics", "static", "status", "v2", "www"}
}

// checkShortName tells why an environment cannot have a short name. The one that it has stays
// good.
func (t *turn) checkShortName(ctx context.Context, before, e store.Environment) (l fault.List, err error) {
	switch {
	case e.ShortName == "" || e.ShortName == before.ShortName:
		return nil, nil
	case !shortName.MatchString(e.ShortName):
		return wrong(fault.ShortName, 0,
			"A short name has 1 to 32 lower-case letters, digits and hyphens, none of these at an end."), nil
	case slices.Contains(slices.Concat(ReservedNames(), ownNames()), e.ShortName):
		return wrong(fault.ShortName, 0, "%q is the cloud's own: choose another.", e.ShortName), nil
	}
	_, err = t.EnvironmentByShortName(ctx, e.ShortName)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return fault.Of(fault.ShortName, fault.Taken, "Another environment has this short name."), err
}
