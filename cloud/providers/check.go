package providers

import (
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"ldap-gateway/cloud/fault"
	"ldap-gateway/cloud/idp/relying"
	"ldap-gateway/cloud/idp/samlsp"
	"ldap-gateway/cloud/mapping"
	"ldap-gateway/cloud/store"
)

// The bounds of settings.
const (
	maxName     = 200 // characters
	maxAddress  = 2048
	maxMappings = 50
	maxTemplate = 1024
	maxPatterns = 100
	maxScopes   = 50
	maxDomains  = 100
	maxKeys     = samlsp.MostCertificates
)

// Ways lists how a client may prove itself at the token endpoint.
// They are as OpenID Connect Core section 9 has them; the last is for a client without
// a secret.
func Ways() []string {
	return []string{relying.SecretBasic, relying.SecretPost, relying.SecretJWT, relying.PrivateJWT, relying.NoAuth}
}

// reserved are properties that no provider fills.
// What they mean is decided in the cloud: a provider must not enable anybody.
var reserved = []string{"account", "id", "created", "updated", "lifecycle", "mfaenabled", "enabled"}

// Check returns what is wrong with a provider's settings by themselves.
// It tells all at once. Whether anything is there at the addresses it does not ask.
func Check(p store.IdentityProvider) fault.List {
	l := slices.Concat(
		checkName(p.Name),
		checkMappings(p.Mappings),
		checkGroups(p.Config.Groups),
		checkDomains(p.Config.Domains),
	)
	switch {
	case p.Type == store.OpenIDConnect && p.Config.OIDC != nil:
		return append(l, checkOpenID(p)...)
	case p.Type == store.SAML && p.Config.SAML != nil:
		return append(l, checkSAML(p)...)
	}
	return append(l, fault.Of(fault.ProviderType, fault.Invalid, "The type is OPENID_CONNECT or SAML.")...)
}

// checkName bounds what people read on the sign-on page.
func checkName(name string) fault.List {
	switch {
	case strings.TrimSpace(name) == "":
		return fault.Of(fault.Name, fault.Missing, "Give the provider a name: people read it on the sign-on page.")
	case utf8.RuneCountInString(name) > maxName:
		return wrong(fault.Name, 0, "A name has at most %d characters.", maxName)
	}
	return nil
}

// wrong is a value that cannot be; item is which of a list, from 1, or 0.
func wrong(field fault.Field, item int, format string, args ...any) fault.List {
	return fault.List{{Field: field, Item: item, Kind: fault.Invalid, Message: fmt.Sprintf(format, args...)}}
}

// checkAddress tells whether an address can be called. What names it in a sentence.
// Neither a password nor a fragment may be in it: the one would be shown with it, and
// the other is never sent.
func checkAddress(field fault.Field, what, address string, needed bool) fault.List {
	if address == "" {
		if needed {
			return fault.Of(field, fault.Missing, "State "+what+".")
		}
		return nil
	}
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || len(address) > maxAddress:
		return wrong(field, 0, "%s is no address, as in https://idp.example.com/path.", upper(what))
	case u.Scheme == "https" || u.Scheme == "http" && here(u.Hostname()):
		return nil
	}
	return wrong(field, 0, "%s is an https address; http is taken of this machine alone.", upper(what))
}

// upper begins a sentence.
func upper(what string) string { return strings.ToUpper(what[:1]) + what[1:] }

// here tells whether a host is this machine.
// It is no name that has to be looked up: what the DNS says of it is somebody else's
// word.
func here(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

// checkOpenID refuses an issuer that stands for every tenant: it would let in people of
// any.
func checkOpenID(p store.IdentityProvider) fault.List {
	o := p.Config.OIDC
	l := slices.Concat(
		checkAddress(fault.Issuer, "the issuer", o.Issuer, true),
		checkAddress(fault.AuthorizationEndpoint, "the authorization endpoint", o.AuthorizationEndpoint, true),
		checkAddress(fault.TokenEndpoint, "the token endpoint", o.TokenEndpoint, true),
		checkAddress(fault.JWKSEndpoint, "the address of the keys", o.JWKSEndpoint, true),
		checkAddress(fault.UserInfoEndpoint, "the UserInfo endpoint", o.UserInfoEndpoint, false),
		checkAddress(fault.DiscoveryEndpoint, "the discovery endpoint", o.DiscoveryEndpoint, false),
		checkAddress(fault.EndSessionEndpoint, "the end session endpoint", o.EndSessionEndpoint, false),
		checkScopes(o.Scopes),
	)
	if strings.Contains(o.Issuer, "{") {
		l = append(l, wrong(fault.Issuer, 0, "State your own tenant's issuer: this one stands for every tenant.")...)
	}
	if o.ClientID == "" || len(o.ClientID) > maxAddress {
		l = append(l, fault.Of(fault.ClientID, fault.Missing, "State the client ID that the provider gave.")...)
	}
	if o.PKCE != "S256" && o.PKCE != "NONE" {
		l = append(l, wrong(fault.PKCE, 0, "PKCE is S256 or NONE.")...)
	}
	return append(l, checkWay(p)...)
}

// checkWay tells whether the client has what it proves itself with.
// A client without a secret and without PKCE would be nobody: whoever has a code could
// use it.
func checkWay(p store.IdentityProvider) fault.List {
	switch o := p.Config.OIDC; {
	case !slices.Contains(Ways(), o.ClientAuth):
		return wrong(fault.ClientAuth, 0, "The way is one of %s.", strings.Join(Ways(), ", "))
	case o.ClientAuth == relying.PrivateJWT && o.KeyID == "":
		return fault.Of(fault.OwnKey, fault.Missing, "Choose the key of ours that signs.")
	case o.ClientAuth == relying.NoAuth && o.PKCE == "NONE":
		return wrong(fault.PKCE, 0, "A client without a secret proves itself by PKCE alone: S256.")
	case o.ClientAuth != relying.PrivateJWT && o.ClientAuth != relying.NoAuth && len(p.Sealed) == 0:
		return fault.Of(fault.ClientSecret, fault.Missing, "State the client secret that the provider gave.")
	}
	return nil
}

func checkScopes(scopes []string) fault.List {
	if !slices.Contains(scopes, "openid") {
		return wrong(fault.Scopes, 0, "openid is among the scopes: without it there is no ID token.")
	}
	bad := func(s string) bool { return s == "" || len(s) > maxName || strings.ContainsAny(s, " \"\\\t\r\n") }
	if len(scopes) > maxScopes || slices.ContainsFunc(scopes, bad) {
		return wrong(fault.Scopes, 0, "A scope is one word, and there are at most %d.", maxScopes)
	}
	return nil
}

// checkSAML lets a provider without a certificate be kept as long as it is disabled:
// metadata may come later.
func checkSAML(p store.IdentityProvider) fault.List {
	s := p.Config.SAML
	l := slices.Concat(
		checkEntityID(fault.EntityID, "the provider's entity ID", s.EntityID),
		checkEntityID(fault.OwnEntityID, "our entity ID", s.OwnEntityID),
		checkAddress(fault.SSOEndpoint, "the address of single sign-on", s.Endpoint, true),
		checkAddress(fault.MetadataURL, "the address of the metadata", s.MetadataURL, false),
	)
	if s.Binding != samlsp.Redirect && s.Binding != samlsp.Post {
		l = append(l, wrong(fault.Binding, 0, "The binding is %s or %s.", samlsp.Redirect, samlsp.Post)...)
	}
	if s.SkewSeconds < 0 || s.SkewSeconds > int(samlsp.MostSkew.Seconds()) {
		l = append(l, wrong(fault.Skew, 0, "Clocks differ by 0 to %d seconds.", int(samlsp.MostSkew.Seconds()))...)
	}
	if s.NameIDFormat == samlsp.Transient && s.SubjectFrom == "" {
		l = append(l, wrong(fault.NameIDFormat, 0,
			"A transient name ID is another one at each sign-on: ask for a persistent one, "+
				"or state the attribute that identifies people.")...)
	}
	if s.SignsRequests && s.KeyID == "" {
		l = append(l, fault.Of(fault.OwnKey, fault.Missing, "Choose the key of ours that signs.")...)
	}
	switch {
	case len(s.CertificateIDs) > maxKeys:
		l = append(l, wrong(fault.Certificates, 0, "There are at most %d certificates.", maxKeys)...)
	case p.Enabled && len(s.CertificateIDs) == 0:
		l = append(l, fault.Of(fault.Certificates, fault.Missing,
			"State a certificate that the provider signs with: without one nothing that it says is proven.")...)
	}
	return l
}

// checkEntityID takes any text that can be an identifier: it need be no address
// (saml-core 8.3.6).
func checkEntityID(field fault.Field, what, id string) fault.List {
	if id == "" || len(id) > 1024 || strings.ContainsAny(id, " \t\r\n<>") {
		return fault.Of(field, fault.Missing, "State "+what+" exactly as the other side spells it.")
	}
	return nil
}

// checkMappings counts names as one that differ in case alone.
func checkMappings(all []store.ProviderMapping) (l fault.List) {
	if len(all) > maxMappings {
		return wrong(fault.Claims, 0, "There are at most %d mappings.", maxMappings)
	}
	seen := map[string]bool{}
	for i, m := range all {
		key := store.Fold(m.Name)
		l = append(l, checkMapping(i+1, m)...)
		if seen[key] {
			l = append(l, fault.Fault{Field: fault.ClaimName, Item: i + 1, Kind: fault.Taken,
				Message: fmt.Sprintf("%q is mapped already.", m.Name)})
		}
		seen[key] = true
	}
	if !seen["username"] {
		l = append(l, fault.Of(fault.Claims, fault.Missing, "The username must be mapped: new people get theirs by it.")...)
	}
	return l
}

func checkMapping(item int, m store.ProviderMapping) (l fault.List) {
	switch {
	case m.Name == "" || utf8.RuneCountInString(m.Name) > maxName:
		l = wrong(fault.ClaimName, item, "Name the property, in at most %d characters.", maxName)
	case slices.Contains(reserved, store.Fold(m.Name)):
		l = wrong(fault.ClaimName, item, "%s is decided here: no provider fills it.", m.Name)
	}
	if m.Update != store.EmptyOnly && m.Update != store.Always {
		l = append(l, wrong(fault.ClaimUpdate, item, "The update is %s or %s.", store.EmptyOnly, store.Always)...)
	}
	if len(m.Value) > maxTemplate || m.Value == "" {
		return append(l, wrong(fault.ClaimValue, item, "The value has 1 to %d characters.", maxTemplate)...)
	}
	if err := mapping.CheckClaims(m); err != nil {
		l = append(l, wrong(fault.ClaimValue, item, "%s.", upper(err.Error()))...)
	}
	return l
}

// checkGroups takes patterns of RE2 alone, which need no more time than the text is
// long, whatever they say.
func checkGroups(g store.ProviderGroups) (l fault.List) {
	for field, patterns := range map[fault.Field][]string{
		fault.GroupInclude: g.Include,
		fault.GroupExclude: g.Exclude,
	} {
		if len(patterns) > maxPatterns {
			l = append(l, wrong(field, 0, "There are at most %d patterns.", maxPatterns)...)
		}
		for i, p := range patterns {
			if p == "" || len(p) > maxTemplate || !stands(p) {
				l = append(l, wrong(field, i+1, "%.40q is no regular expression (RE2).", p)...)
			}
		}
	}
	if utf8.RuneCountInString(g.Delimiter) > 3 {
		l = append(l, wrong(fault.GroupDelimiter, 0, "A delimiter has at most 3 characters.")...)
	}
	return l
}

// stands tells whether a pattern is one by itself, and one of whole names as well: it
// must not end the brackets that it is put into.
func stands(pattern string) bool {
	_, alone := regexp.Compile(pattern)
	_, whole := regexp.Compile(`^(?:` + pattern + `)$`)
	return alone == nil && whole == nil
}

// domain is a name of the DNS with at least one dot.
var domain = regexp.MustCompile(`^[\pL\pN]([\pL\pN-]*[\pL\pN])?(\.[\pL\pN]([\pL\pN-]*[\pL\pN])?)+$`)

// checkDomains looks at the form. Whether it is the provider's own nobody can tell
// here.
func checkDomains(domains []string) (l fault.List) {
	if len(domains) > maxDomains {
		return wrong(fault.Domains, 0, "There are at most %d domains.", maxDomains)
	}
	for i, d := range domains {
		if !domain.MatchString(d) || len(d) > 253 {
			l = append(l, wrong(fault.Domains, i+1, "%.40q is no domain, as in example.com.", d)...)
		}
	}
	return l
}
