package outbound

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// Post sends a body of that content type to an address, signed: the header
// X-Ldap-Cloud-Signature has the time and the Signature of it with the body, as t=TIME,v1=…,
// so that an old one is known. Any status but 2xx is an error, a redirect too.
// The answer's body is read away and never shown: it may be of a machine that whoever is
// told of the error may not see.
func (g Guard) Post(ctx context.Context, url, kind string, secret, body []byte, at time.Time) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	seconds := strconv.FormatInt(at.Unix(), 10) // since 1970
	r.Header.Set("Content-Type", kind)
	r.Header.Set("User-Agent", "ldap-cloud")
	r.Header.Set("X-Ldap-Cloud-Signature", "t="+seconds+",v1="+Signature(secret, seconds, body))
	answer, err := g.Client(0).Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	// It is read so that the connection ends well; not for ever, as the other end
	// decides how much it is.
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 64<<10))
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("it answered %s", answer.Status)
	}
	return nil
}

// Signature returns what a receiver compares: HMAC-SHA-256 of the time, a dot and the body,
// in hexadecimal digits.
// Whoever checks it should also refuse a time that is long ago, or an old message could
// be sent again.
func Signature(secret []byte, at string, body []byte) string {
	h := hmac.New(sha256.New, secret)
	_, _ = h.Write([]byte(at + "."))
	_, _ = h.Write(body)
	return hex.EncodeToString(h.Sum(nil))
}
