package command

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"ldap-gateway/cloud/api/client"
)

// resources are the lists of an environment.
var resources = []string{
	"activities", "administrators", "applications", "certificates", "gateways", "groups", "identityProviders", "keys",
	"licenses", "populations", "resources", "roleGroups", "schemas", "signOnPolicies", "signOns", "themes", "users",
}

// known adds to a refusal of the API which resources there are, when what was asked for is none.
func known(path string, err error) error {
	name, _, _ := strings.Cut(strings.Trim(path, "/"), "/")
	var refused *client.Error
	if !errors.As(err, &refused) || refused.Status != http.StatusNotFound || slices.Contains(resources, name) {
		return err
	}
	return fmt.Errorf("%w There are: %s", err, strings.Join(resources, ", "))
}

// completed completes the first argument of a command for resources, in a shell.
func completed(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return resources, cobra.ShellCompDirectiveNoFileComp
}
