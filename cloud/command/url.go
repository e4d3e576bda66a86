package command

import (
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"ldap-gateway/cloud"
)

// cloudURL returns a URL that a cloud is known by, without the slash at its end. One that
// is wrong would be in every link, issuer and pairing: it is refused with the right form.
func cloudURL(text string) (string, error) {
	wrong := func(why string) (string, error) {
		return "", fmt.Errorf("%w: --url %q %s: write it as in https://id.example.com or http://127.0.0.1:8080",
			cloud.ErrUsage, text, why)
	}
	u, err := url.Parse(strings.TrimRight(text, "/"))
	switch {
	case err != nil:
		return wrong("is no URL")
	case u.Scheme != "https" && u.Scheme != "http":
		return wrong("does not begin with https://")
	case u.Hostname() == "":
		return wrong("has no host")
	case u.Port() != "" && !isPort(u.Port()):
		return wrong("has a port that is none")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return wrong("would have passwords cross the network in the clear")
	case u.User != nil:
		return wrong("has a user in it")
	case u.Path != "" || u.RawQuery != "" || u.Fragment != "" || strings.ContainsAny(text, "?#"):
		return wrong("has more than a host and a port")
	}
	return u.Scheme + "://" + strings.ToLower(u.Host), nil
}

func isPort(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return err == nil && n > 0
}

// loopback tells whether a host is this machine.
func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}

// cloudURLs is cloudURL for each of several.
func cloudURLs(texts []string) (all []string, err error) {
	for _, text := range texts {
		u, err := cloudURL(text)
		if err != nil {
			return nil, err
		}
		all = append(all, u)
	}
	return all, nil
}
