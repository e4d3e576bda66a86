package oidc_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/oauth2"
)

// together is how many people come at once in BenchmarkSignOns.
const together = 16

// BenchmarkSignOns has people who have signed on come for an application again, and reports how many do so a
// second, to the code alone and to what UserInfo says, beside bare signatures by a key as large, in one run.
func BenchmarkSignOns(b *testing.B) {
	s := start(b)
	c, _ := s.relying("profile", "email", "groups")
	var all []*browser
	for range together {
		one := s.browser()
		one.code(c)
		all = append(all, one)
	}
	key := must(rsa.GenerateKey(rand.Reader, 2048))
	sum := sha256.Sum256([]byte("x"))
	for b.Loop() {
		bare := atOnce(func(int) { must(rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])) })
		code := atOnce(func(i int) { all[i].again(c) })
		whole := atOnce(func(i int) {
			code, verifier := all[i].again(c)
			s.redeem(c, code, verifier)
		})
		b.ReportMetric(code, "codes/s")
		b.ReportMetric(whole, "signons/s")
		b.ReportMetric(bare, "signatures/s")
		b.ReportMetric(whole/bare, "signons/signature")
	}
}

// atOnce has something done by so many at once for some seconds, and returns how often it was a second.
func atOnce(do func(i int)) float64 {
	const long = 3 * time.Second
	var n atomic.Int64
	var all sync.WaitGroup
	end := time.Now().Add(long)
	for i := range together {
		all.Go(func() {
			for time.Now().Before(end) {
				do(i)
				n.Add(1)
			}
		})
	}
	all.Wait()
	return float64(n.Load()) / long.Seconds()
}

// again is code of a browser in which alice has signed on, and nothing but the requests.
func (b *browser) again(c *oauth2.Config) (code, verifier string) {
	verifier = oauth2.GenerateVerifier()
	resp := must(b.http.Get(c.AuthCodeURL("state", oauth2.S256ChallengeOption(verifier))))
	_ = resp.Body.Close()
	to := must(resp.Location())
	return to.Query().Get("code"), verifier
}

// redeem asks for tokens and for what UserInfo says, as a library does.
func (s *site) redeem(c *oauth2.Config, code, verifier string) {
	token := must(c.Exchange(s.t.Context(), code, oauth2.VerifierOption(verifier)))
	r := must(http.NewRequestWithContext(s.t.Context(), "GET", s.server.Issuer(s.env)+"/userinfo", nil))
	r.Header.Set("Authorization", "Bearer "+token.AccessToken)
	resp := must(http.DefaultClient.Do(r))
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		panic(resp.Status)
	}
}
