package oidc_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/oauth2"
)

// together is how many people come at once in BenchmarkSignOns.
const together = 16

// rounds is how often each thing is measured, in turns.
const rounds = 7

// BenchmarkSignOns has people who have signed on come for an application again, to the code alone and to what
// UserInfo says, beside bare signatures by a key as large and the least that such a sign-on can be, and reports how many
// of each there are a second, and how much of a processor one takes, clients included: the medians of rounds in turns.
func BenchmarkSignOns(b *testing.B) {
	s := start(b)
	c, _ := s.relying("profile", "email", "groups")
	var all []*browser
	for range together {
		one := s.browser()
		one.http.Transport = &http.Transport{} // each keeps its connection
		one.code(c)
		all = append(all, one)
	}
	key := must(rsa.GenerateKey(rand.Reader, 2048))
	sum := sha256.Sum256([]byte("x"))
	kinds := []func(i int){
		func(int) { must(rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])) },
		func(i int) { all[i].again(c) },
		func(i int) {
			code, verifier := all[i].again(c)
			all[i].redeem(c, code, verifier)
		},
		s.least(key),
	}
	for b.Loop() {
		var rates, costs [4][]float64
		for range rounds {
			for i, do := range kinds {
				rate, cost := atOnce(do)
				rates[i], costs[i] = append(rates[i], rate), append(costs[i], cost)
			}
		}
		for i, name := range []string{"signature", "code", "signon", "least"} {
			b.ReportMetric(median(rates[i]), name+"s/s")
			b.ReportMetric(median(costs[i]), name+"-µs")
		}
		b.ReportMetric(median(costs[0])/median(costs[2]), "of-signature")
		b.ReportMetric(median(costs[3])/median(costs[2]), "of-least")
	}
}

// least is the least that a sign-on can be: three requests, of which two write a row that is kept before the answer,
// one makes a signature and one reads a row, with no rule and nothing looked at.
func (s *site) least(key *rsa.PrivateKey) func(i int) {
	var next atomic.Int64
	writes := func(r *http.Request) {
		name := strconv.FormatInt(next.Add(1), 10)
		check(s.t, s.db.CommitSession(r.Context(), name, make([]byte, 300), time.Now().Add(time.Hour)))
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /code", func(w http.ResponseWriter, r *http.Request) {
		writes(r)
		http.Redirect(w, r, redirect, http.StatusFound)
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		check(s.t, r.ParseForm())
		writes(r)
		sum := sha256.Sum256([]byte(r.PostForm.Get("code")))
		_ = json.NewEncoder(w).Encode(must(rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])))
	})
	mux.HandleFunc("GET /who", func(w http.ResponseWriter, r *http.Request) {
		data, _, err := s.db.FindSession(r.Context(), "1")
		check(s.t, err)
		_ = json.NewEncoder(w).Encode(data)
	})
	at := httptest.NewServer(mux)
	s.t.Cleanup(at.Close)
	var clients [together]http.Client
	for i := range clients {
		clients[i] = http.Client{Transport: &http.Transport{}, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}}
	}
	return func(i int) {
		done(clients[i].Get(at.URL + "/code"))
		done(clients[i].PostForm(at.URL+"/token", url.Values{"code": {"code"}}))
		done(clients[i].Get(at.URL + "/who"))
	}
}

// done reads an answer to its end, or else its connection is not kept.
func done(resp *http.Response, err error) *http.Response {
	must(resp, err)
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	return resp
}

func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}

// atOnce has something done by so many at once for a while, and returns how often it was a second, and
// how many microseconds of a processor one took.
func atOnce(do func(i int)) (rate, cost float64) {
	const long = 500 * time.Millisecond
	var n atomic.Int64
	var all sync.WaitGroup
	begun, spent := time.Now(), used()
	for i := range together {
		all.Go(func() {
			for time.Since(begun) < long {
				do(i)
				n.Add(1)
			}
		})
	}
	all.Wait()
	done := float64(n.Load())
	return done / time.Since(begun).Seconds(), float64((used() - spent).Microseconds()) / done
}

// used is how long processors have worked for this process.
func used() time.Duration {
	var of syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &of); err != nil {
		panic(err)
	}
	return time.Duration(of.Utime.Nano() + of.Stime.Nano())
}

// again is code of a browser in which alice has signed on, and nothing but the requests.
func (b *browser) again(c *oauth2.Config) (code, verifier string) {
	verifier = oauth2.GenerateVerifier()
	resp := done(b.http.Get(c.AuthCodeURL("state", oauth2.S256ChallengeOption(verifier))))
	to := must(resp.Location())
	return to.Query().Get("code"), verifier
}

// redeem asks for tokens and for what UserInfo says, as a library does.
func (b *browser) redeem(c *oauth2.Config, code, verifier string) {
	ctx := context.WithValue(b.t.Context(), oauth2.HTTPClient, &b.http)
	token := must(c.Exchange(ctx, code, oauth2.VerifierOption(verifier)))
	r := must(http.NewRequestWithContext(ctx, "GET", b.server.Issuer(b.env)+"/userinfo", nil))
	r.Header.Set("Authorization", "Bearer "+token.AccessToken)
	resp := done(b.http.Do(r))
	if resp.StatusCode != http.StatusOK {
		panic(resp.Status)
	}
}
