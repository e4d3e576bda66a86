package store_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
)

func TestKerberosKeysAreRetained(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	replace := func(n int, retain time.Duration) {
		t.Helper()
		must(t, s.ReplaceKerberosKeys(t.Context(), &store.KerberosKeys{
			EnvironmentID: w.env.ID,
			GatewayID:     w.gateway.ID,
			Origin:        "keytab",
			Entries:       []store.KerberosEntry{{Principal: "HTTP/x", Realm: "R", KVNO: uint32(n), EType: 18}},
			Sealed:        []byte{byte(n)},
			CreatedAt:     start.Add(time.Duration(n) * time.Minute),
		}, retain))
	}
	good := func(at time.Time) (kvnos []uint32) {
		t.Helper()
		all, err := s.KerberosKeys(t.Context(), w.env.ID, w.gateway.ID, at)
		must(t, err)
		for i, k := range all {
			kvnos = append(kvnos, k.Entries[0].KVNO)
			if (i == 0) != k.ExpiresAt.IsZero() || int(k.Sealed[0]) != int(k.Entries[0].KVNO) {
				t.Errorf("%+v", k)
			}
		}
		return kvnos
	}
	for n := 1; n <= 8; n++ {
		replace(n, 10*time.Minute)
	}
	for at, want := range map[time.Duration]string{8: "[8 7 6 5 4 3]", 15: "[8 7 6 5]", 18: "[8]"} {
		if got := fmt.Sprint(good(start.Add(at * time.Minute))); got != want {
			t.Errorf("after %d minutes %s are good, not %s", at, got, want)
		}
	}
	replace(9, 0)
	if got := fmt.Sprint(good(start.Add(9 * time.Minute))); got != "[9]" {
		t.Errorf("replaced without retention: %s", got)
	}
	if err := s.DeleteKerberosKeys(t.Context(), w.env.ID, w.gateway.ID, "none"); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
	must(t, s.DeleteKerberosKeys(t.Context(), w.env.ID, w.gateway.ID, ""))
	if got := good(start); got != nil {
		t.Errorf("%v", got)
	}
	if err := s.ReplaceKerberosKeys(t.Context(), &store.KerberosKeys{
		EnvironmentID: w.env.ID,
		GatewayID:     "another's",
	}, 0); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
}

func TestGatewayKeepsKerberos(t *testing.T) {
	s := open(t)
	w := build(t, s, "one")
	g := w.gateway
	g.Kerberos = &store.Kerberos{Realms: []string{"R"}, Attribute: "uid", Value: "${principal}", RetainMinutes: 610}
	must(t, s.UpdateGateway(t.Context(), &g))
	got, err := s.Gateway(t.Context(), w.env.ID, g.ID)
	must(t, err)
	if fmt.Sprintf("%+v", got.Kerberos) != fmt.Sprintf("%+v", g.Kerberos) || got.Revision != w.gateway.Revision {
		t.Errorf("%+v", got)
	}
}
