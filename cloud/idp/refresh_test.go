package idp_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"ldap-gateway/cloud/idp/idptest"
	"ldap-gateway/cloud/idp/samlsp"
	"ldap-gateway/cloud/store"
)

// published is metadata at an address.
type published struct {
	*httptest.Server
	doc    []byte
	status int
	asked  int // with an ETag that is the present one
}

func publish(t *testing.T, doc []byte) *published {
	p := &published{doc: doc, status: http.StatusOK}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		etag := `"` + string(p.doc[len(p.doc)-60:len(p.doc)-50]) + strings.Repeat("x", len(p.doc)%7) + `"`
		if r.Header.Get("If-None-Match") == etag {
			p.asked++
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("ETag", etag)
		w.WriteHeader(p.status)
		_, _ = w.Write(p.doc)
	}))
	t.Cleanup(p.Close)
	return p
}

// refreshed reads metadata that is due, and returns the provider.
func (w *world) refreshed(later time.Duration) store.IdentityProvider {
	w.Helper()
	w.ahead += later
	w.must(w.Refresh(w.Context()))
	p, err := w.Store.IdentityProvider(w.Context(), w.env.ID, w.saml.ID)
	w.must(err)
	return p
}

// TestMetadataBringsCertificates and takes them off again, without anybody's doing.
func TestMetadataBringsCertificates(t *testing.T) {
	w := build(t)
	next := idptest.NewPair(time.Now().Add(time.Hour))
	at := publish(t, idptest.Metadata(w.keys))
	w.saml.Config.SAML.MetadataURL = at.URL
	w.must(w.Store.UpdateIdentityProvider(t.Context(), &w.saml))
	first := w.refreshed(0)
	if len(first.Config.SAML.CertificateIDs) != 1 || first.Config.SAML.CertificateIDs[0] != w.saml.Config.SAML.CertificateIDs[0] {
		t.Errorf("%+v", first.Config.SAML)
	}
	at.doc = idptest.Metadata(w.keys, next)
	if p := w.refreshed(time.Hour); len(p.Config.SAML.CertificateIDs) != 1 {
		t.Error("read before it was due")
	}
	both := w.refreshed(24 * time.Hour)
	if ids := both.Config.SAML.CertificateIDs; len(ids) != 2 || ids[0] != w.saml.Config.SAML.CertificateIDs[0] {
		t.Errorf("%q", ids)
	}
	if w.refreshed(24 * time.Hour); at.asked != 1 {
		t.Errorf("asked %d times by ETag", at.asked)
	}
	at.doc = idptest.Metadata(next)
	if p := w.refreshed(24 * time.Hour); len(p.Config.SAML.CertificateIDs) != 1 || p.Config.SAML.CertificateIDs[0] != both.Config.SAML.CertificateIDs[1] {
		t.Errorf("%q", p.Config.SAML.CertificateIDs)
	}
	done, _, err := w.Store.Activities(t.Context(), w.env.ID, store.ActivityFilter{Subject: "provider:" + w.saml.ID}, store.Page{})
	if err != nil || len(done) != 2 || done[0].Actor != "system" {
		t.Errorf("%+v %v", done, err)
	}
}

// TestMetadataThatCannotBeUsed leaves what there is, and says since when.
func TestMetadataThatCannotBeUsed(t *testing.T) {
	w := build(t)
	at := publish(t, idptest.Metadata(w.keys))
	w.saml.Config.SAML.MetadataURL = at.URL
	w.must(w.Store.UpdateIdentityProvider(t.Context(), &w.saml))
	w.refreshed(0)
	was := w.saml.Config.SAML.CertificateIDs
	for name, spoil := range map[string]func(){
		"another entity": func() {
			at.doc = []byte(strings.Replace(string(idptest.Metadata(w.keys)), idptest.EntityID, "https://evil.example.org", 1))
		},
		"expired": func() {
			at.doc = []byte(strings.Replace(string(idptest.Metadata(w.own)), "entityID=", `validUntil="2001-01-01T00:00:00Z" entityID=`, 1))
		},
		"eleven": func() {
			var all []idptest.Pair
			for range samlsp.MostCertificates + 1 {
				all = append(all, idptest.NewPair(time.Now().Add(time.Hour)))
			}
			at.doc = idptest.Metadata(all...)
		},
		"no certificate": func() { at.doc = idptest.Metadata() },
		"not found":      func() { at.doc, at.status = idptest.Metadata(w.keys, w.own), http.StatusNotFound },
	} {
		spoil()
		p := w.refreshed(24 * time.Hour)
		if len(p.Config.SAML.CertificateIDs) != 1 || p.Config.SAML.CertificateIDs[0] != was[0] || p.Health.Problem == "" || p.Health.ProblemSince.IsZero() {
			t.Errorf("%s: %+v %+v", name, p.Config.SAML, p.Health)
		}
	}
	at.doc, at.status = idptest.Metadata(w.keys), http.StatusOK
	if p := w.refreshed(time.Hour); p.Health.Problem != "" || !p.Health.ProblemSince.IsZero() {
		t.Errorf("%+v", p.Health)
	}
}

// byHand adds a certificate as an administrator does.
func (w *world) byHand(pair idptest.Pair) string {
	w.Helper()
	c := store.Certificate{EnvironmentID: w.env.ID, Usage: "SIGNING", DER: pair.Cert.Raw, Name: "by hand"}
	w.must(w.Store.CreateCertificate(w.Context(), &c))
	p, err := w.Store.IdentityProvider(w.Context(), w.env.ID, w.saml.ID)
	w.must(err)
	p.Config.SAML.CertificateIDs = append(p.Config.SAML.CertificateIDs, c.ID)
	w.must(w.Store.UpdateIdentityProvider(w.Context(), &p))
	return c.ID
}

// has tells which certificates a provider has, in the order of pairs; x: one that is none
// of them.
func (w *world) has(p store.IdentityProvider, pairs ...idptest.Pair) (names string) {
	w.Helper()
	for _, id := range p.Config.SAML.CertificateIDs {
		c, err := w.Store.Certificate(w.Context(), w.env.ID, id)
		w.must(err)
		at := slices.IndexFunc(pairs, func(pair idptest.Pair) bool { return bytes.Equal(pair.Cert.Raw, c.DER) })
		names += string("x0123456789"[at+1])
	}
	return names
}

// rows counts the certificates of the environment.
func (w *world) rows() int {
	w.Helper()
	all, _, err := w.Store.Certificates(w.Context(), w.env.ID, store.Page{Limit: store.MaxLimit})
	w.must(err)
	return len(all)
}

// TestMetadataTakesOffItsOwn and nothing that somebody added, and leaves no row behind.
func TestMetadataTakesOffItsOwn(t *testing.T) {
	w := build(t)
	a, b, c, hand := w.keys, idptest.NewPair(time.Now().Add(time.Hour)), w.own, idptest.NewPair(time.Now().Add(time.Hour))
	at := publish(t, idptest.Metadata(a))
	w.saml.Config.SAML.MetadataURL = at.URL
	w.must(w.Store.UpdateIdentityProvider(t.Context(), &w.saml))
	w.refreshed(0)
	w.byHand(hand)
	start := w.rows()
	for _, step := range []struct {
		listed []idptest.Pair
		has    string
		rows   int // more than at the start
	}{
		{[]idptest.Pair{a, b}, "032", 1},    // hand is kept beside
		{[]idptest.Pair{b}, "32", 0},        // a is gone, with its row
		{[]idptest.Pair{b, c, b}, "321", 1}, // once each
		{[]idptest.Pair{b, hand}, "32", 0},  // hand is listed
		{[]idptest.Pair{b}, "2", -1},        // and not any more
		{[]idptest.Pair{b}, "2", -1},
	} {
		at.doc = idptest.Metadata(step.listed...)
		p := w.refreshed(24 * time.Hour)
		if got := w.has(p, a, c, b, hand); got != step.has || w.rows() != start+step.rows || p.Health.Problem != "" {
			t.Errorf("%d listed: %s of %s, %d rows more, %q", len(step.listed), got, step.has, w.rows()-start, p.Health.Problem)
		}
	}
}

// TestMetadataBesideManyByHand is not followed past the bound that the settings have.
func TestMetadataBesideManyByHand(t *testing.T) {
	w := build(t)
	at := publish(t, idptest.Metadata(w.keys))
	w.saml.Config.SAML.MetadataURL = at.URL
	w.must(w.Store.UpdateIdentityProvider(t.Context(), &w.saml))
	w.refreshed(0)
	for range samlsp.MostCertificates - 1 {
		w.byHand(idptest.NewPair(time.Now().Add(time.Hour)))
	}
	rows := w.rows()
	at.doc = idptest.Metadata(w.keys, idptest.NewPair(time.Now().Add(time.Hour)))
	p := w.refreshed(24 * time.Hour)
	if len(p.Config.SAML.CertificateIDs) != samlsp.MostCertificates || w.rows() != rows || !strings.Contains(p.Health.Problem, "11") {
		t.Errorf("%d certificates, %d rows of %d, %q", len(p.Config.SAML.CertificateIDs), w.rows(), rows, p.Health.Problem)
	}
}

// TestMetadataEndsUnchanged is told although the address says that it is the same.
func TestMetadataEndsUnchanged(t *testing.T) {
	w := build(t)
	until := time.Now().Add(36 * time.Hour).UTC().Format(time.RFC3339)
	at := publish(t, []byte(strings.Replace(string(idptest.Metadata(w.keys)), "entityID=", `validUntil="`+until+`" entityID=`, 1)))
	w.saml.Config.SAML.MetadataURL = at.URL
	w.must(w.Store.UpdateIdentityProvider(t.Context(), &w.saml))
	w.refreshed(0)
	if p := w.refreshed(24 * time.Hour); at.asked != 1 || p.Health.Problem != "" {
		t.Errorf("asked %d times by ETag, %q", at.asked, p.Health.Problem)
	}
	p := w.refreshed(24 * time.Hour)
	if at.asked != 2 || !strings.Contains(p.Health.Problem, "validUntil") || len(p.Config.SAML.CertificateIDs) != 1 {
		t.Errorf("asked %d times by ETag, %+v", at.asked, p.Health)
	}
	at.doc = idptest.Metadata(w.keys)
	if p := w.refreshed(24 * time.Hour); p.Health.Problem != "" || !p.Health.MetadataUntil.IsZero() {
		t.Errorf("%+v", p.Health)
	}
}
