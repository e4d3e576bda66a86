package cloud

import (
	"net/http"
	"strings"

	"ldap-gateway/cloud/api"
)

// roomOf says who answers a request, for the metrics.
// They are few and ours: a label that a stranger could choose would fill the memory of
// whoever reads them.
func roomOf(r *http.Request) string {
	path := r.URL.Path
	switch {
	case strings.HasPrefix(path, "/console"):
		return "console"
	case api.Serves(path):
		return "api"
	case strings.Contains(path, "/as/"):
		return "oidc"
	case strings.Contains(path, "/saml20/") && !strings.Contains(path, "/saml20/sp/"):
		return "saml"
	case path == "/":
		return "signon"
	case strings.Contains(path, "/signon"), strings.Contains(path, "/rp/"), strings.Contains(path, "/saml20/"):
		return "signon"
	case path == "/live" || path == "/ready":
		return "health"
	case strings.Count(strings.TrimSuffix(path, "/"), "/") == 1: // a short name
		return "signon"
	}
	return "link"
}
