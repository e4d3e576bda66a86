package administrators

import (
	"context"
	"errors"
	"fmt"
	"ldap-gateway/cloud/throttle"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// seals keeps what it is given as it is, under purpose and owner.
type seals struct{}

func (seals) Seal(purpose, owner string, secret []byte) []byte {
	return append([]byte(purpose+"|"+owner+"|"), secret...)
}

func (s seals) Open(purpose, owner string, sealed []byte) ([]byte, error) {
	begin := string(s.Seal(purpose, owner, nil))
	if len(sealed) < len(begin) || string(sealed[:len(begin)]) != begin {
		return nil, errors.New("not this one's")
	}
	return sealed[len(begin):], nil
}

// hashTime is how long a password takes to be hashed here, in the time of a bubble.
const hashTime = 100 * time.Millisecond

// besieged is an authenticator, at which nobody's password is right but that of the hash.
func besieged(bounds *throttle.Bounds) (d *Authenticator, hash string) {
	c := cost{8, 1, 1, []byte("12345678"), []byte("the right key...")}
	return &Authenticator{Hashing: NewQueue(bounds.Of(throttle.Passwords)), derive: func(_ cost, password string) []byte {
		time.Sleep(hashTime)
		if password == "right" {
			return c.key
		}
		return make([]byte, len(c.key))
	}}, c.String()
}

// TestAdministratorsComeBeforeStrangers: while 200 strangers try all the time, from one
// network or from a thousand, for the same name or any, an administrator from elsewhere is let
// in within two seconds, by a browser that is not known, at their second try as well, at once
// in one that is, and sets a password for the first time; and of strangers one is served at a
// time.
func TestAdministratorsComeBeforeStrangers(t *testing.T) {
	for name, from := range map[string]func(i int) string{
		"one-network":                              func(int) string { return "192.0.2.1" },
		"one-neighbourhood":                        func(i int) string { return fmt.Sprintf("192.0.2.%d", i) },
		"a-hundred-networks":                       func(i int) string { return fmt.Sprintf("10.0.%d.1", i%100) },
		"two-hundred-networks":                     func(i int) string { return fmt.Sprintf("10.0.%d.1", i) },
		"as-many-sites-of-IPv6":                    func(i int) string { return fmt.Sprintf("2001:db8:%x::/64", i) },
		"two-networks-of-a-hundred-neighbourhoods": func(i int) string { return fmt.Sprintf("10.0.%d.%d", i%100, i/100) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var bounds throttle.Bounds
				d, hash := besieged(&bounds)
				ctx, cancel := context.WithCancel(t.Context())
				for i := range 200 {
					go func() {
						for ctx.Err() == nil {
							_, err := d.CheckPassword(ctx, Stranger(from(i), "ada"), "", "guess")
							if errors.Is(err, throttle.ErrFull) {
								time.Sleep(time.Second) // sooner than it is told to
							}
						}
					}()
				}
				timed := func(what string, most time.Duration, try func() error) {
					t.Helper()
					start := time.Now()
					if err := try(); err != nil || time.Since(start) > most {
						t.Errorf("%s: %v after %s", what, err, time.Since(start))
					}
				}
				check := func(who throttle.Who, password string) func() error {
					return func() error {
						good, err := d.CheckPassword(t.Context(), who, hash, password)
						if good != (password == "right") {
							return errors.Join(err, ErrProof)
						}
						return err
					}
				}
				for after := range 12 {
					time.Sleep(time.Duration(after+1) * 377 * time.Millisecond)
					ada := Stranger(fmt.Sprintf("198.51.%d.1", after), "ada")
					timed("a slip", 2*time.Second, check(ada, "rigth"))
					time.Sleep(3 * time.Second) // to type it anew
					timed("a stranger", 2*time.Second, check(ada, "right"))
					timed("who is known", 2*hashTime, check(Known("1"), "right"))
				}
				timed("a first password", 2*time.Second, func() error {
					_, err := d.HashPassword(t.Context(), Stranger("203.0.113.1", "ben"), "a new one")
					return err
				})
				if bounds.Of(throttle.Passwords).Total() == 0 {
					t.Error("nobody was refused")
				}
				cancel()
				time.Sleep(2 * time.Second)
				if busy, waiting := d.Hashing.UnderWay(); busy != 0 || waiting != 0 {
					t.Errorf("%d and %d are left", busy, waiting)
				}
			})
		})
	}
}

// TestFewPasswordsAreHashed: two at once, of strangers one, and of an account one.
func TestFewPasswordsAreHashed(t *testing.T) {
	tests := map[string]struct {
		who  func(i int) throttle.Who
		most int
	}{
		"strangers":    {func(i int) throttle.Who { return Stranger(fmt.Sprint(i), "") }, 1},
		"one account":  {func(int) throttle.Who { return Known("1") }, 1},
		"all accounts": {func(i int) throttle.Who { return Known(fmt.Sprint(i)) }, 2},
		"all":          {func(i int) throttle.Who { return []throttle.Who{Stranger("", ""), Known("1"), Known("2")}[i%3] }, 2},
	}
	for name, c := range tests {
		synctest.Test(t, func(t *testing.T) {
			d, _ := besieged(nil)
			within, most := 0, 0
			var mu sync.Mutex
			hash := d.derive
			d.derive = func(c cost, password string) []byte {
				mu.Lock()
				within++
				most = max(most, within)
				mu.Unlock()
				defer func() { mu.Lock(); within--; mu.Unlock() }()
				return hash(c, password)
			}
			for i := range 30 {
				go func() { _, _ = d.CheckPassword(t.Context(), c.who(i), "", "x") }()
			}
			time.Sleep(time.Minute)
			synctest.Wait()
			if most != c.most {
				t.Errorf("%s: %d at once", name, most)
			}
		})
	}
}

func TestKnownBrowsers(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	d := &Authenticator{Vault: seals{}, Now: func() time.Time { return now }}
	kept := d.KnownBrowser("1")
	if !d.Knows("1", kept) {
		t.Error("it is not known")
	}
	for name, other := range map[string]string{"empty": "", "no base64": "%%", "cut": kept[:8], "longer": kept + "AAAA"} {
		if d.Knows("1", other) {
			t.Errorf("%s is known", name)
		}
	}
	if d.Knows("2", kept) {
		t.Error("it is known as another's")
	}
	now = now.Add(throttle.KnownLife + time.Second)
	if d.Knows("1", kept) {
		t.Error("it is known for ever")
	}
}
