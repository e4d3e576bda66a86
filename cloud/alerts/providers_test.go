package alerts

import (
	"crypto/x509"
	"slices"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
)

// TestWhatIsWrongWithAProvider: one alert for each thing, and none for a provider that is well.
func TestWhatIsWrongWithAProvider(t *testing.T) {
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	ends := func(days ...int) (all []*x509.Certificate) {
		for _, d := range days {
			all = append(all, &x509.Certificate{NotAfter: now.Add(time.Duration(d) * 24 * time.Hour)})
		}
		return all
	}
	short := func(life, left int) []*x509.Certificate {
		all := ends(left)
		all[0].NotBefore = all[0].NotAfter.AddDate(0, 0, -life)
		return all
	}
	refused := func(kind string, ago ...time.Duration) (all []store.ProviderRefusal) {
		for _, a := range ago {
			all = append(all, store.ProviderRefusal{At: now.Add(-a), Kind: kind})
		}
		return all
	}
	minutes := []time.Duration{time.Minute, 2 * time.Minute, 3 * time.Minute}
	for name, c := range map[string]struct {
		health       store.ProviderHealth
		certificates []*x509.Certificate
		secret       time.Time
		codes        []string
	}{
		"well":                   {certificates: ends(100)},
		"ends in a month":        {certificates: ends(20), codes: []string{"providerCertificateEnds"}},
		"of a month, new":        {certificates: short(30, 25)},
		"of a month, half":       {certificates: short(30, 15)},
		"of a month, a third":    {certificates: short(30, 9), codes: []string{"providerCertificateEnds"}},
		"of a month, last days":  {certificates: short(30, 2), codes: []string{"providerCertificateEndsNow"}},
		"of a week, half":        {certificates: short(7, 4)},
		"of a week, last days":   {certificates: short(7, 2), codes: []string{"providerCertificateEnds"}},
		"of ten years, a year":   {certificates: short(3650, 365)},
		"ends this week":         {certificates: ends(5), codes: []string{"providerCertificateEndsNow"}},
		"ended":                  {certificates: ends(-1), codes: []string{"providerCertificateEnded"}},
		"rolls over":             {certificates: ends(-1, 5, 200)},
		"unread for an hour":     {health: store.ProviderHealth{Problem: "x.", ProblemSince: now.Add(-time.Hour)}},
		"unread for a day":       {health: store.ProviderHealth{Problem: "x.", ProblemSince: now.Add(-24 * time.Hour)}, codes: []string{"providerUnread"}},
		"unknown keys":           {health: store.ProviderHealth{Refusals: refused("unknown_key", minutes...)}, codes: []string{"providerKeyUnknown"}},
		"one unknown key":        {health: store.ProviderHealth{Refusals: refused("unknown_key", time.Minute)}},
		"unknown keys, long ago": {health: store.ProviderHealth{Refusals: refused("unknown_key", time.Hour, time.Hour, time.Hour)}},
		"people who gave up":     {health: store.ProviderHealth{Refusals: refused("cancelled", minutes...)}},
		"transient":              {health: store.ProviderHealth{Refusals: refused("unstable", time.Hour)}, codes: []string{"providerSubjectUnstable"}},
		"cut":                    {health: store.ProviderHealth{CutAt: now.Add(-time.Hour)}, codes: []string{"providerGroupsCut"}},
		"cut last week":          {health: store.ProviderHealth{CutAt: now.Add(-7 * 24 * time.Hour)}},
		"absent":                 {health: store.ProviderHealth{Absent: 10}, codes: []string{"providerGroupsAbsent"}},
		"no UserInfo":            {health: store.ProviderHealth{InfoFailed: 10}, codes: []string{"providerUserInfo"}},
		"no UserInfo for once":   {health: store.ProviderHealth{InfoFailed: 9}},
		"absent a few times":     {health: store.ProviderHealth{Absent: 9}},
		"clock":                  {health: store.ProviderHealth{SkewSeconds: -40}, codes: []string{"providerClock"}},
		"secret ends":            {secret: now.Add(time.Hour), codes: []string{"providerSecretEnds"}},
		"secret ends in a year":  {secret: now.AddDate(1, 0, 0)},
	} {
		p := store.IdentityProvider{ID: "p", Name: "Partner", Health: c.health, Config: store.ProviderConfig{SAML: &store.SAMLConfig{}, SecretEnds: c.secret}}
		var codes []string
		for _, a := range ofProvider(p, c.certificates, now) {
			if codes = append(codes, a.Code); a.Remedy == "" || a.Text == "" || a.Key == "" {
				t.Errorf("%s: %+v", name, a)
			}
		}
		if !slices.Equal(codes, c.codes) {
			t.Errorf("%s: %q", name, codes)
		}
	}
}
