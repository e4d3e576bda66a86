package command

import (
	"net"
	"os"
)

// tellSystemd says how the program is (sd_notify(3)) where systemd started it.
// What cannot be told is dropped: it stops nobody.
// Where nothing listens the variable is not set, and nothing is done.
func tellSystemd(state string) {
	socket := os.Getenv("NOTIFY_SOCKET")
	if socket == "" {
		return
	}
	if c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: socket, Net: "unixgram"}); err == nil {
		_, _ = c.Write([]byte(state))
		_ = c.Close()
	}
}
