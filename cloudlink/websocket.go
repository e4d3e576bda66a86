package cloudlink

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"

	"github.com/coder/websocket"

	"ldap-gateway/cloudlink/wire"
)

// WebsocketError says that whatever is between here and the cloud passes plain requests, and
// no websocket (RFC 6455).
type WebsocketError struct {
	Host string // of the cloud
	Err  error  // what came in place of the websocket
}

// Error says so, and what came.
func (e *WebsocketError) Error() string {
	return fmt.Sprintf("something between here and the cloud does not pass websockets: %v", e.Err)
}

// Unwrap returns what came in place of the websocket.
func (e *WebsocketError) Unwrap() error { return e.Err }

// answered is what came instead of the switch to a websocket.
type answered struct{ status string }

func (a answered) Error() string { return "the answer to the upgrade is " + a.status }

// TryWebsocket tells whether a websocket comes as far as the cloud and back. It proves
// nobody. A *WebsocketError names what is between; nil also for a cloud of before, which
// knows no trial, when the upgrade came as far as it.
func TryWebsocket(ctx context.Context, client *http.Client, base *url.URL) error {
	conn, err := upgrade(ctx, client, base, wire.TrialSubprotocol, nil)
	var refusal *wire.Refusal
	if errors.As(err, &refusal) {
		return nil
	}
	var named *WebsocketError
	switch {
	case errors.As(err, &named):
		return err
	case err != nil: // also what a proxy in trouble answers, or nothing until the time is over
		return between(context.WithoutCancel(ctx), client, base, err, err)
	}
	defer conn.CloseNow()
	_, _, err = conn.Read(ctx)
	return cut(ctx, client, base, err)
}

// upgrade opens a websocket of a subprotocol. A refusal of the cloud is a *wire.Refusal;
// what stands between is a *WebsocketError.
func upgrade(
	ctx context.Context, client *http.Client, base *url.URL, subprotocol string, header http.Header,
) (*websocket.Conn, error) {
	conn, resp, err := websocket.Dial(ctx, base.JoinPath(wire.PathConnect).String(), &websocket.DialOptions{
		HTTPClient:   client,
		HTTPHeader:   header,
		Subprotocols: []string{subprotocol},
	})
	switch {
	case err == nil && conn.Subprotocol() == subprotocol:
		return conn, nil
	case err == nil:
		_ = conn.CloseNow()
		return nil, &WebsocketError{base.Host, errors.New("the other end does not speak our subprotocol")}
	case resp == nil || resp.Body == nil:
		return nil, between(ctx, client, base, err, err)
	case resp.StatusCode == http.StatusSwitchingProtocols: // and not as RFC 6455 section 4.1 has it
		return nil, between(ctx, client, base, err, err)
	}
	err = refusalOf(resp)
	var refusal *wire.Refusal
	switch {
	case errors.As(err, &refusal) && refusal.Code == wire.RefusedUpgrade:
		return nil, &WebsocketError{base.Host, errors.New("the cloud got the request without its upgrade")}
	case errors.As(err, &refusal), resp.StatusCode >= 500 && resp.StatusCode != http.StatusNotImplemented:
		return nil, err // a proxy that reaches no cloud for a moment answers so too
	}
	return nil, between(ctx, client, base, answered{resp.Status}, err)
}

// cut returns err, which ended a websocket before anything was said on it, unless it ended as
// websockets do: then, where the cloud answers plain requests, something between cut it.
func cut(ctx context.Context, client *http.Client, base *url.URL, err error) error {
	var closed websocket.CloseError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &closed) && closed.Code == websocket.StatusNormalClosure:
		return nil
	case errors.As(err, &closed):
		return err
	}
	return between(context.WithoutCancel(ctx), client, base,
		fmt.Errorf("it opens, and is cut before a word comes: %w", err), err)
}

// between names what is between as the cause, when a plain request comes as far as the cloud
// at the same time; else it returns err, which says what is wrong with more than websockets.
func between(ctx context.Context, client *http.Client, base *url.URL, cause, err error) error {
	var dial *net.OpError
	var proxy *ProxyError
	if errors.As(err, &dial) && dial.Op == "dial" || errors.As(err, &proxy) || CertificateProblem(err) ||
		ctx.Err() != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, nonceTime)
	defer cancel()
	if _, asked := GetStatus(ctx, client, base); asked != nil {
		return err
	}
	return &WebsocketError{base.Host, cause}
}
