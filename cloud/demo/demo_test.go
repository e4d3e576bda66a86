package demo

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"go.uber.org/goleak"
)

var update = flag.Bool("update", false, "write the golden file anew")

// varying is what differs from one telling to the next.
var varying = regexp.MustCompile(`127\.0\.0\.1:\d+|[0-9A-Z]{4}(-[0-9A-Z]{4})+|[0-9a-f]{8}-[0-9a-f-]{27}|secret [\w-]{20,}|#[\w-]{20}|took [\w.]+`)

// TestStory tells the whole story and compares every word; the story itself
// fails when the cloud does not have the groups that it tells of.
func TestStory(t *testing.T) {
	defer goleak.VerifyNone(
		t,
		goleak.IgnoreCurrent(),
		goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"),
		goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"),
	)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out bytes.Buffer
	if err := Run(ctx, &out, Options{Listen: "127.0.0.1:0", Once: true}); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	got := varying.ReplaceAll(out.Bytes(), []byte("…"))
	golden := filepath.Join("testdata", "story.txt")
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%v, got:\n%s\nwant (-update writes it anew):\n%s", err, got, want)
	}
}

// TestInterruptedStoryLeavesNothing stops in the middle, as Ctrl-C does.
func TestInterruptedStoryLeavesNothing(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	out := &waiting{text: []byte("Everything is still running"), seen: make(chan struct{})}
	go func() { ended <- Run(ctx, out, Options{Listen: "127.0.0.1:0"}) }()
	select {
	case <-out.seen:
	case err := <-ended:
		t.Fatal(err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(tmp); err != nil || len(left) != 0 {
		t.Error(left, err)
	}
}

// waiting is a writer that tells when a text came by.
type waiting struct {
	text []byte
	seen chan struct{}
	done bool
}

func (w *waiting) Write(b []byte) (int, error) {
	if !w.done && bytes.Contains(b, w.text) {
		w.done = true
		close(w.seen)
	}
	return len(b), nil
}
