package idp_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"ldap-gateway/cloud/idp/idptest"
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
