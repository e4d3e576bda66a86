package samlsp_test

import (
	"crypto/x509"
	"errors"
	"testing"
	"time"

	dsig "github.com/russellhaering/goxmldsig"

	"ldap-gateway/cloud/evidence"
	"ldap-gateway/cloud/idp/idptest"
	"ldap-gateway/cloud/idp/samlsp"
)

const (
	acs     = "https://cloud.example.com/e1/saml20/sp/acs"
	own     = "https://cloud.example.com/e1/saml20/sp"
	request = "_0123456789abcdef"
	sha256  = dsig.RSASHA256SignatureMethod
)

// world is a provider with its keys, an attacker's, and ours.
type world struct {
	*testing.T
	now                   time.Time
	theirs, next, by, our idptest.Pair
	used                  map[string]bool // assertions
}

func build(t *testing.T) *world {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Millisecond)
	end := now.Add(24 * time.Hour)
	return &world{
		T:      t,
		now:    now,
		theirs: idptest.NewPair(end),
		next:   idptest.NewPair(end),
		by:     idptest.NewPair(end),
		our:    idptest.NewPair(end),
		used:   map[string]bool{},
	}
}

// provider is one that the settings are right of.
func (w *world) provider() *samlsp.Provider {
	return &samlsp.Provider{
		Name:         "Partner",
		EntityID:     idptest.EntityID,
		Endpoint:     "https://idp.example.org/sso",
		Binding:      samlsp.Redirect,
		Certificates: []samlsp.Certificate{{ID: "1", X509: w.theirs.Cert}},
		OwnEntityID:  own,
		ACS:          acs,
		Key:          w.our.Key,
		Certificate:  w.our.Cert,
		Now:          func() time.Time { return w.now },
		Replay: func(id string, _ time.Time) error {
			if w.used[id] {
				return evidence.Refuse(evidence.Replayed, "again")
			}
			w.used[id] = true
			return nil
		},
	}
}

// letter is one that is right in all.
func (w *world) letter() idptest.Letter {
	l := idptest.Answer(request, acs, own, w.now)
	l.Attributes = idptest.Attribute("groups", "admins", "Sales, EMEA")
	return l
}

// with changes a letter.
func with(l idptest.Letter, change func(*idptest.Letter)) idptest.Letter {
	change(&l)
	return l
}

// groups of evidence, as its claims have them.
func groups(e evidence.Evidence) (names []string, there bool) {
	list, there := e.Claims[0]["groups"].([]any)
	for _, name := range list {
		names = append(names, name.(string))
	}
	return names, there
}

// kindOf returns the kind of a refusal; empty when it is none.
func kindOf(err error) evidence.Kind {
	var r *evidence.Refusal
	if !errors.As(err, &r) {
		return ""
	}
	return r.Kind
}

func certificates(all ...*x509.Certificate) (list []samlsp.Certificate) {
	for i, c := range all {
		list = append(list, samlsp.Certificate{ID: string(rune('1' + i)), X509: c})
	}
	return list
}
