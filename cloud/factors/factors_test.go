package factors_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"ldap-gateway/cloud/administrators"
	"ldap-gateway/cloud/factors"
	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/store/storetest"
	"ldap-gateway/cloud/vault"
)

// clinic is two nodes over one database, with a person who has one-time passwords and recovery codes.
type clinic struct {
	t      *testing.T
	db     *store.Store
	nodes  [2]*factors.Service
	who    factors.Who
	secret string
	codes  []string
	now    time.Time
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T) *clinic {
	t.Helper()
	db, err := store.Open(t.Context(), storetest.File(t))
	check(t, err)
	t.Cleanup(func() { check(t, db.Close()) })
	v, err := vault.New(make([]byte, 32))
	check(t, err)
	c := &clinic{t: t, db: db, now: time.Now().UTC().Truncate(time.Minute)}
	now := func() time.Time { return c.now }
	for i := range c.nodes {
		proofs := &administrators.Authenticator{Store: db, Vault: v, URLs: []string{"https://id.example.com"}, Now: now}
		c.nodes[i] = &factors.Service{Store: db, Proofs: proofs, Now: now}
	}
	env := store.Environment{Name: "Example"}
	check(t, db.CreateEnvironment(t.Context(), &env))
	p := store.Population{EnvironmentID: env.ID, Name: "Default", Default: true}
	check(t, db.CreatePopulation(t.Context(), &p))
	c.who.User = store.User{EnvironmentID: env.ID, PopulationID: p.ID, Username: "ada", Enabled: true}
	check(t, db.CreateUser(t.Context(), &c.who.User))
	key, err := c.nodes[0].NewOneTime("Example", c.who.User)
	check(t, err)
	c.secret = key.Secret()
	check(t, c.nodes[0].KeepOneTime(t.Context(), c.who, key, c.code()))
	var hashes [][]byte
	c.codes, hashes = factors.NewCodes()
	check(t, c.nodes[1].KeepCodes(t.Context(), c.who, hashes))
	c.now = c.now.Add(time.Minute)
	return c
}

func (c *clinic) code() string {
	c.t.Helper()
	code, err := totp.GenerateCode(c.secret, c.now)
	check(c.t, err)
	return code
}

// atOnce has many tries made at both nodes, and returns how many were right, wrong, and not looked at.
func (c *clinic) atOnce(n int, typed string) (right, wrong, waits int) {
	c.t.Helper()
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			_, err := c.nodes[i%2].Check(c.t.Context(), c.who, typed)
			mu.Lock()
			defer mu.Unlock()
			var wait *factors.WaitError
			switch {
			case err == nil:
				right++
			case errors.As(err, &wait):
				waits++
			case errors.Is(err, factors.ErrWrong):
				wrong++
			default:
				c.t.Error(err)
			}
		})
	}
	all.Wait()
	return right, wrong, waits
}

// TestGuessesOfAFactor are bounded over all nodes, also of many at once: who has used up those of one kind is let in
// by another, and each wrong one is told.
func TestGuessesOfAFactor(t *testing.T) {
	c := open(t)
	if right, wrong, waits := c.atOnce(40, "000000"); right != 0 || wrong != 10 || waits != 30 {
		t.Errorf("%d right, %d wrong, %d waited", right, wrong, waits)
	}
	if right, _, waits := c.atOnce(1, c.code()); right != 0 || waits != 1 {
		t.Error("the eleventh is looked at")
	}
	if right, _, _ := c.atOnce(1, c.codes[0]); right != 1 {
		t.Error("guesses of one-time passwords keep a recovery code out")
	}
	if right, wrong, waits := c.atOnce(80, "aaaa-aaaa-aaaa-aaaa"); right != 0 || wrong != 50 || waits != 30 {
		t.Errorf("codes: %d right, %d wrong, %d waited", right, wrong, waits)
	}
	c.now = c.now.Add(time.Hour)
	if right, _, _ := c.atOnce(1, c.code()); right != 1 {
		t.Error("an hour later it is not looked at")
	}
	all, _, err := c.db.Activities(t.Context(), c.who.User.EnvironmentID,
		store.ActivityFilter{Action: "user.factor-refused"}, store.Page{Limit: 100})
	if err != nil || len(all) != 60 {
		t.Errorf("%d are told, %v", len(all), err)
	}
}

// TestFactorIsGoodOnce over all nodes: of many who show one at once, one gets in.
func TestFactorIsGoodOnce(t *testing.T) {
	c := open(t)
	for name, typed := range map[string]string{"one-time password": c.code(), "recovery code": c.codes[3]} {
		if right, _, _ := c.atOnce(8, typed); right != 1 {
			t.Errorf("%s: %d got in", name, right)
		}
	}
}

// TestFirstFactorIsTheOnly that is set up without another: of two who set one up at once, one does, and whoever has
// not given the one that there is changes nothing.
func TestFirstFactorIsTheOnly(t *testing.T) {
	c := open(t)
	key, err := c.nodes[1].NewOneTime("Example", c.who.User)
	check(t, err)
	code, err := totp.GenerateCode(key.Secret(), c.now)
	check(t, err)
	if err := c.nodes[1].KeepOneTime(t.Context(), c.who, key, code); !errors.Is(err, factors.ErrMeanwhile) {
		t.Errorf("set up beside another: %v", err)
	}
	if right, _, _ := c.atOnce(1, c.code()); right != 1 {
		t.Error("the first is good no more")
	}
	c.who.Proven = true
	err = c.nodes[1].KeepOneTime(t.Context(), c.who, key, code)
	if err != nil && !errors.Is(err, factors.ErrWrong) { // its step may be the one that was used
		t.Error(err)
	}
}
