package hub

import (
	"bufio"
	"bytes"
	"net"
	"net/http"
)

// What a link keeps for as long as it lasts: a heartbeat, and a sign-on, are read and written at once,
// and what is larger goes past the buffers.
const (
	readBuffer  = 512
	writeBuffer = 1024
)

// slim hands its connection over with buffers of what a link needs, in place of net/http's.
type slim struct{ http.ResponseWriter }

// Unwrap has http.ResponseController find what is beneath.
func (s slim) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// Hijack implements http.Hijacker. What was read ahead is in the buffer.
func (s slim) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(s.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	ahead, err := rw.Reader.Peek(rw.Reader.Buffered())
	if err != nil {
		return nil, nil, err
	}
	r := bufio.NewReaderSize(bytes.NewReader(ahead), max(readBuffer, len(ahead)))
	_, err = r.Peek(len(ahead))
	return conn, bufio.NewReadWriter(r, bufio.NewWriterSize(conn, writeBuffer)), err
}
