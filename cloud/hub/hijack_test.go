package hub

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestSlimHandsOverWhole: of a connection that is handed over all bytes arrive, in both directions, those
// that were sent with the request as well as those after it, however many; and no large buffers stay.
func TestSlimHandsOverWhole(t *testing.T) {
	for _, ahead := range []int{0, 1, 15, 16, 511, 512, 513, 1024, 4095, 4096, 5000, 100_000} {
		t.Run(fmt.Sprint(ahead), func(t *testing.T) {
			site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				conn, rw, err := slim{w}.Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				defer conn.Close()
				first, err := rw.Peek(rw.Reader.Buffered())
				if err != nil {
					t.Error(err)
				}
				if size := rw.Reader.Size() + rw.Writer.Size(); size > readBuffer+writeBuffer && size > len(first)+writeBuffer {
					t.Errorf("%d bytes of buffers for %d that were read ahead", size, len(first))
				}
				// As the library reads on.
				rw.Reader.Reset(io.MultiReader(bytes.NewReader(first), conn))
				_, _ = io.CopyN(rw, rw, int64(ahead)+1000)
				_ = rw.Flush()
			}))
			defer site.Close()
			conn, err := net.Dial("tcp", site.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			sent := make([]byte, ahead+1000)
			_, _ = rand.Read(sent)
			request := []byte("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
			go func() {
				_, _ = conn.Write(append(request, sent[:ahead]...))
				_, _ = conn.Write(sent[ahead:])
			}()
			got, err := io.ReadAll(conn)
			if err != nil || !bytes.Equal(got, sent) {
				t.Errorf("%d bytes came back of %d: %v", len(got), len(sent), err)
			}
		})
	}
}
