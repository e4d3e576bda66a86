package presets

import (
	"slices"

	"ldap-gateway/cloud/store"
)

// All returns those that there are, in the order in which people see them.
func All() []Preset {
	return slices.Concat(ownPresets(), serverPresets(), libraryPresets(), productPresets())
}

// web is the type of most of them.
const web = store.WebApplication

// usual is the address of those that may be anywhere.
const usual = "https://app.example.com"

// ownPresets are for what somebody writes.
func ownPresets() []Preset {
	return []Preset{
		{
			ID:        "library",
			Name:      "A library, on a web server",
			Type:      web,
			Redirects: []string{"/callback"},
			SignOffs:  []string{"/"},
			Refresh:   true,
			At:        usual,
			Where:     "the library’s settings",
		},
		{
			ID:        "page",
			Name:      "A single page, in the browser",
			Type:      store.SinglePage,
			Redirects: []string{"/"},
			SignOffs:  []string{"/"},
			Refresh:   true,
			At:        usual,
			Where:     "the page’s script (oidc-client-ts)",
		},
		{
			ID:        "native",
			Name:      "A program on somebody’s machine",
			Type:      store.NativeApplication,
			Redirects: []string{"/callback"},
			Refresh:   true,
			At:        "http://127.0.0.1",
			Where:     "the program’s settings",
			Note:      "The program listens on any port of this address (RFC 8252), and has no secret.",
		},
	}
}

// serverPresets are for web servers and frameworks.
func serverPresets() []Preset {
	return []Preset{
		{
			ID:        "apache",
			Name:      "Apache (mod_auth_openidc)",
			Type:      web,
			Redirects: []string{"/oidc"},
			SignOffs:  []string{"/"},
			At:        usual,
			Where:     "the virtual host",
			Note:      `Restrict by a group with: Require claim "groups:cn=staff,ou=groups,dc=example,dc=com"`,
		},
		{
			ID:        "oauth2-proxy",
			Name:      "oauth2-proxy, also for nginx",
			Type:      web,
			Redirects: []string{"/oauth2/callback"},
			SignOffs:  []string{"/"},
			Refresh:   true,
			At:        usual,
			Where:     "oauth2-proxy.cfg",
			Note:      `With many groups, session_store_type = "redis" keeps cookies small.`,
		},
		{
			ID:        "aspnet",
			Name:      "ASP.NET Core",
			Type:      web,
			Redirects: []string{"/signin-oidc"},
			SignOffs:  []string{"/signout-callback-oidc"},
			Refresh:   true,
			At:        usual,
			Where:     "Program.cs",
		},
		{
			ID:        "spring",
			Name:      "Spring Security",
			Type:      web,
			Redirects: []string{"/login/oauth2/code/cloud"},
			SignOffs:  []string{"/"},
			PKCE:      store.PKCEOptional,
			At:        usual,
			Where:     "application.yml",
			Note: "Before Spring Security 7 a web server sends PKCE only when its code asks for it (withPkce): " +
				"where yours does, require it below.",
		},
	}
}

// libraryPresets are for libraries that want something of their own.
func libraryPresets() []Preset {
	return []Preset{
		{
			ID:        "express",
			Name:      "Express (express-openid-connect)",
			Type:      web,
			Redirects: []string{"/callback"},
			SignOffs:  []string{""},
			At:        usual,
			Where:     "the server’s script",
			Note:      "Its own usual way, an ID token without a code, is not taken here: response_type says so below.",
		},
		{
			ID:        "django",
			Name:      "Django (python-social-auth)",
			Type:      web,
			Redirects: []string{"/complete/oidc/"},
			PKCE:      store.PKCEOptional,
			At:        usual,
			Where:     "settings.py",
			Note: "Its backend sends no PKCE. Without the last line it takes the claim “groups” for Django’s own groups, " +
				"and fails; what is in the claim is in request.user.social_auth when SOCIAL_AUTH_OIDC_EXTRA_DATA names it.",
		},
	}
}

// productPresets are for programs that somebody installs.
func productPresets() []Preset {
	return []Preset{
		{
			ID:        "grafana",
			Name:      "Grafana",
			Type:      web,
			Redirects: []string{"/login/generic_oauth"},
			SignOffs:  []string{"/login"},
			Refresh:   true,
			At:        "https://grafana.example.com",
			Where:     "grafana.ini",
		},
		{
			ID:        "gitlab",
			Name:      "GitLab",
			Type:      web,
			Redirects: []string{"/users/auth/openid_connect/callback"},
			At:        "https://gitlab.example.com",
			Where:     "/etc/gitlab/gitlab.rb",
		},
		{
			ID:        "gitea",
			Name:      "Gitea",
			Type:      web,
			Redirects: []string{"/user/oauth2/cloud/callback"},
			PKCE:      store.PKCEOptional,
			At:        "https://gitea.example.com",
			Where:     "a shell on its server",
		},
		{
			ID:        "nextcloud",
			Name:      "Nextcloud (user_oidc)",
			Type:      web,
			Redirects: []string{"/apps/user_oidc/code", "/index.php/apps/user_oidc/code"},
			SignOffs:  []string{"/"},
			At:        "https://cloud.example.com",
			Where:     "a shell on its server",
		},
	}
}
