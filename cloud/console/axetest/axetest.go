// Package axetest owns how tests look at a page as axe-core does: for what people
// with a screen reader, a keyboard or weak eyes cannot use.
//
// Called by tests of console and signonpage. axe-core comes from its npm package,
// of one version with one checksum, and is kept in the user's cache.
package axetest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

const (
	version  = "4.14.1"
	checksum = "e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745" // of the package, SHA-256
	inside   = "package/axe.min.js"
)

// script returns axe-core. It fails the test when it cannot be had.
func script(t testing.TB) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(cache, "ldap-gateway-tests")
	packed := filepath.Join(folder, "axe-core-"+version+".tgz")
	b, err := os.ReadFile(packed)
	if err != nil || !genuine(b) {
		if b, err = download(t.Context(), folder, packed); err != nil {
			t.Fatalf("axe-core: %v: run \"make tools\"", err)
		}
	}
	text, err := unpack(b)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// genuine tells whether a package is the one that was looked at when the version was
// chosen.
func genuine(b []byte) bool {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]) == checksum
}

// download has npm fetch the package, and keeps it under a temporary name until the
// checksum was right: tests that run at once do not read half of it.
func download(ctx context.Context, folder, packed string) ([]byte, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	own, err := os.MkdirTemp(folder, "npm")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(own)
	c := exec.CommandContext(ctx, "npm", "pack", "axe-core@"+version)
	c.Dir = own
	if out, err := c.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("npm pack: %w: %s", err, out)
	}
	b, err := os.ReadFile(filepath.Join(own, filepath.Base(packed)))
	if err == nil && !genuine(b) {
		err = errors.New("its checksum is another")
	}
	if err != nil {
		return nil, err
	}
	return b, os.Rename(filepath.Join(own, filepath.Base(packed)), packed)
}

// unpack returns the one script of the package that is needed; io.EOF when it has none.
func unpack(b []byte) (string, error) {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return "", err
	}
	r := tar.NewReader(z)
	for {
		h, err := r.Next()
		if err != nil {
			return "", err
		}
		if h.Name == inside {
			text, err := io.ReadAll(r)
			return string(text), err
		}
	}
}

// Look fails the test when axe-core finds anything on the page that ctx has open. What says what page it is.
func Look(ctx context.Context, t testing.TB, what string) {
	t.Helper()
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[any](script(t)+";0")); err != nil {
		t.Fatal(err)
	}
	const all = `axe.run().then(r => r.violations
		.flatMap(v => v.nodes.map(n => v.id + ": " + v.help + ": " + n.html + " " + (n.any[0]?.message ?? ""))))`
	found, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](all, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		t.Errorf("%s: %s", what, f)
	}
}
