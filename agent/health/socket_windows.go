package health

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"

	"ldap-gateway/agent/state"
)

// listenControl listens on a port of the loopback interface, which anybody on the
// machine can reach: the token in the state folder is who may ask. Sockets in the
// file system are not on every Windows that is in use.
func listenControl(ctx context.Context, folder state.Folder) (l net.Listener, token string, err error) {
	if c, err := dialControl(ctx, folder); err == nil {
		return nil, "", errors.Join(fmt.Errorf("another gateway runs with the state folder %s", folder), c.Close())
	}
	if err := folder.Ready(); err != nil {
		return nil, "", err
	}
	if l, err = new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0"); err != nil {
		return nil, "", err
	}
	token = rand.Text()
	if err := folder.SaveControlSocket(state.ControlSocket{Address: l.Addr().String(), Token: token}); err != nil {
		return nil, "", errors.Join(err, l.Close())
	}
	return l, token, nil
}

// dialControl connects to the gateway that runs with a folder.
func dialControl(ctx context.Context, folder state.Folder) (net.Conn, error) {
	d, err := folder.ControlSocket()
	if err != nil {
		return nil, err
	}
	return new(net.Dialer).DialContext(ctx, "tcp", d.Address)
}

// controlToken returns what is to be said at the control socket.
func controlToken(folder state.Folder) string {
	d, _ := folder.ControlSocket() // none: dialControl has the error
	return d.Token
}
