package alerts

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ldap-gateway/cloud/store"
)

// ofApplications returns which certificates of applications of SAML end: those that prove
// their requests or encrypt for them, and that of our key that signs answers. An
// application's goes on counting here after its end; ours may not count there.
func (w *Watch) ofApplications(ctx context.Context, env string) (all []store.Alert, err error) {
	for page := (store.Page{Limit: store.MaxLimit}); ; {
		some, next, err := w.Store.Applications(ctx, env, page)
		if err != nil {
			return nil, err
		}
		for _, a := range some {
			if a.Protocol != store.SAML || !a.Enabled {
				continue
			}
			ending, err := w.endsOf(ctx, a)
			if err != nil {
				return nil, err
			}
			all = append(all, ending...)
		}
		if page.Cursor = next; next == "" {
			return all, nil
		}
	}
}

// endsOf returns which certificates of one application end.
func (w *Watch) endsOf(ctx context.Context, a store.Application) (all []store.Alert, err error) {
	key := a.SAML.KeyID
	if key == "" {
		c, err := w.Store.DefaultKey(ctx, a.EnvironmentID)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
		key = c.ID
	}
	for _, one := range append([]string{key, a.SAML.EncryptedWith}, a.SAML.CertificateIDs...) {
		if one == "" {
			continue
		}
		c, parsed, err := w.certificate(ctx, a.EnvironmentID, one)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if left := parsed.NotAfter.Sub(w.now()); left < soon(parsed) {
			all = append(all, ofEnd(a, c, parsed.NotAfter, one == key))
		}
	}
	return all, nil
}

// ofEnd is what is said of a certificate that ends, or has.
func ofEnd(a store.Application, c store.Certificate, end time.Time, own bool) store.Alert {
	code, what := "applicationCertificateEnds", "its certificate "+c.Name
	remedy := "Have the application make the next one, and add it on its page here beside the old one."
	if own {
		code, what = "signingKeyEnds", "our certificate "+c.Name+", whose key signs answers,"
		remedy = "Make the next key on the application's page, have applications take it from the metadata, then choose it."
	}
	return store.Alert{
		Key:    code + "/" + a.ID + "/" + c.ID,
		Code:   code,
		Text:   fmt.Sprintf("Application %s: %s ends on %s.", a.Name, what, end.UTC().Format(time.DateOnly)),
		Remedy: remedy,
	}
}
