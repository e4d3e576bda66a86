package health

import (
	"errors"
	"net"
	"net/http"
	"net/url"

	"ldap-gateway/cloudlink"
	"ldap-gateway/cloudlink/wire"
)

// CloudRemedy says what an administrator can do about err.
func CloudRemedy(err error) string {
	var dns *net.DNSError
	var dial *net.OpError
	var refusal *wire.Refusal
	var wrapped *url.Error
	var proxy *cloudlink.ProxyError
	var websocket *cloudlink.WebsocketError
	switch {
	case errors.As(err, &websocket):
		return "have whatever is between pass websockets to " + websocket.Host + ": the proxy before the cloud must hand" +
			" on the headers Upgrade and Connection (the handbook of the cloud has nginx, haproxy and Apache), one that" +
			" inspects TLS on the way there must leave this host alone"
	case errors.As(err, &refusal):
		return refusal.Message
	case errors.As(err, &dns):
		return "check the host in cloud.url, and that this machine's DNS knows it; behind a proxy set cloud.proxy"
	case errors.As(err, &proxy) && proxy.Status == http.StatusProxyAuthRequired:
		return "the proxy wants another user and password: write cloud.proxy as \"http://USER:PASSWORD@" + proxy.Proxy + "\""
	case errors.As(err, &proxy):
		return "have the proxy let CONNECT through to the cloud's host and port, or name another in cloud.proxy"
	case cloudlink.CertificateProblem(err):
		return certificateRemedy(cloudlink.CertificateIssuer(err))
	case errors.As(err, &dial):
		return "allow outbound TCP from this machine to the cloud's host and port; behind a proxy set cloud.proxy"
	case errors.As(err, &wrapped) && wrapped.Timeout():
		return "nothing answers in time: check the firewall between; behind a proxy set cloud.proxy"
	}
	return "check cloud.url"
}

// certificateRemedy names who issued the certificate that came: an administrator
// knows the name of what inspects TLS here.
func certificateRemedy(issuer string) string {
	if issuer == "" {
		issuer = "somebody else"
	}
	return "the certificate that comes is issued by " + issuer + ", which is not trusted here: if that is a proxy of " +
		"yours that inspects TLS, put its certificate authority into cloud.ca_file"
}
