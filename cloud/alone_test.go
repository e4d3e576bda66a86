package cloud

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"
)

// Of two nodes on one file the second says why it does not start, and listens to nobody; once the first has ended,
// another starts, whatever it left behind.
func TestOneNodeAFile(t *testing.T) {
	data := t.TempDir() + "/cloud"
	_, err := Init(t.Context(), InFolder(data), "", "E", "http://127.0.0.1")
	must(t, err)
	node := func() (ready chan string, ended chan error, stop func()) {
		ready, ended = make(chan string, 1), make(chan error, 1)
		ctx, cancel := context.WithCancel(t.Context())
		s := &Server{
			Database: InFolder(data),
			Listen:   "127.0.0.1:0",
			Logger:   hclog.NewNullLogger(),
			Ready:    func(u string) { ready <- u },
		}
		go func() { ended <- s.Run(ctx) }()
		return ready, ended, cancel
	}
	for range 3 {
		ready, ended, stop := node()
		select {
		case <-ready:
		case err := <-ended:
			t.Fatal(err)
		}
		for range 2 {
			second, why, stop := node()
			select {
			case <-second:
				t.Error("a second node serves")
			case err := <-why:
				if err == nil || !strings.Contains(err.Error(), "another ldap-cloud runs on "+data) {
					t.Errorf("the second says %v", err)
				}
			}
			stop()
		}
		stop()
		must(t, <-ended)
		_, err := os.Stat(filepath.Join(data, "ldap-cloud.lock"))
		must(t, err)
	}
}
