//go:build unix

package health

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"ldap-gateway/agent/state"
)

// listenControl listens on a socket that only its owner can open. It takes it over from
// a gateway that is gone; one that runs keeps it. There is no token: the socket's
// mode is enough.
func listenControl(ctx context.Context, folder state.Folder) (l net.Listener, token string, err error) {
	path := socketPath(folder)
	if err := os.MkdirAll(folder.String(), 0o700); err != nil {
		return nil, "", err
	}
	if c, err := dialControl(ctx, folder); err == nil {
		return nil, "", errors.Join(fmt.Errorf("another gateway runs with the state folder %s", folder), c.Close())
	}
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return nil, "", err
	}
	if l, err = new(net.ListenConfig).Listen(ctx, "unix", path); err != nil {
		return nil, "", err
	}
	// The folder lets nobody else in meanwhile.
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, "", errors.Join(err, l.Close())
	}
	return l, "", nil
}

func socketPath(folder state.Folder) string { return filepath.Join(folder.String(), "status.sock") }

// dialControl connects to the gateway that runs with a folder.
func dialControl(ctx context.Context, folder state.Folder) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "unix", socketPath(folder))
}

// controlToken returns what is to be said at the control socket.
func controlToken(state.Folder) string { return "" }
