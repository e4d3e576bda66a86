package store_test

import (
	"compress/gzip"
	"context"
	"database/sql"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the database driver

	"ldap-gateway/cloud/store"
)

// TestEveryReleaseOpens opens a database of each released version, as that version's
// program left it: a file of SQLite, and what pg_dump wrote of PostgreSQL. Both have one
// of everything that matters, and all of it is there.
func TestEveryReleaseOpens(t *testing.T) {
	kept, err := filepath.Glob("testdata/*.db.gz")
	must(t, err)
	if len(kept) == 0 {
		t.Fatal("there is no database of a release")
	}
	for _, file := range kept {
		release := strings.TrimSuffix(filepath.Base(file), ".db.gz")
		t.Run(strings.ReplaceAll(release, ".", "-"), func(t *testing.T) {
			where := empty(t)
			if store.IsPostgres(where) {
				putDump(t, where, unpacked(t, "testdata/"+release+".sql.gz"))
			} else {
				must(t, os.WriteFile(where, unpacked(t, file), 0o600))
			}
			s := openAt(t, where)
			isWhole(t, s)
			must(t, s.Close())
			isWhole(t, openAt(t, where))
		})
	}
}

func unpacked(t *testing.T, path string) []byte {
	t.Helper()
	f, err := os.Open(path)
	must(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	must(t, err)
	b, err := io.ReadAll(z)
	must(t, err)
	return b
}

// putDump runs what pg_dump wrote.
func putDump(t *testing.T, url string, dump []byte) {
	t.Helper()
	db, err := sql.Open("pgx", url)
	must(t, err)
	defer db.Close()
	_, err = db.ExecContext(t.Context(), string(dump))
	must(t, err)
}

// isWhole looks for everything that the kept databases have, and changes some of it.
func isWhole(t *testing.T, s *store.Store) {
	t.Helper()
	ctx := t.Context()
	all, err := s.Environments(ctx)
	must(t, err)
	if len(all) != 1 || all[0].Name != "Example" {
		t.Fatalf("environments: %+v", all)
	}
	e := all[0].ID
	u, err := s.UserByUsername(ctx, e, "José")
	must(t, err)
	if u.Attributes["title"] != "cook" || len(u.Correlation) != 2 || !u.Enabled {
		t.Errorf("user: %+v", u)
	}
	groups, err := s.UserGroups(ctx, e, u.ID)
	must(t, err)
	var names []string
	for _, g := range groups {
		names = append(names, g.Group.Name+" "+string(g.Group.SourceType))
	}
	if slices.Sort(names); !slices.Equal(names, []string{"cn=cooks,dc=example GATEWAY", "readers "}) {
		t.Errorf("memberships: %q", names)
	}
	g, err := s.Gateway(ctx, e, u.GatewayID)
	must(t, err)
	instances, err := s.Instances(ctx, e, g.ID)
	must(t, err)
	if len(instances) != 1 || string(instances[0].PublicKey) != "public" || instances[0].Hostname != "dc1" {
		t.Errorf("instances: %+v", instances)
	}
	a, err := s.Administrator(ctx, "admin")
	must(t, err)
	if !strings.HasPrefix(a.PasswordHash, "$argon2id$") || a.Role != store.RoleOwner {
		t.Errorf("administrator: %+v", a)
	}
	theRestIsWhole(ctx, t, s, u)
}

// theRestIsWhole looks for what hangs on a user, and writes.
func theRestIsWhole(ctx context.Context, t *testing.T, s *store.Store, u store.User) {
	t.Helper()
	e := u.EnvironmentID
	clients, err := s.Clients(ctx, e)
	must(t, err)
	applications, _, err := s.Applications(ctx, e, store.Page{})
	must(t, err)
	signOns, _, err := s.SignOns(ctx, e, store.SignOnFilter{}, store.Page{})
	must(t, err)
	activities, _, err := s.Activities(ctx, e, store.ActivityFilter{}, store.Page{})
	must(t, err)
	if len(clients) != 1 || len(applications) != 1 || len(signOns) != 1 || signOns[0].UserID != u.ID || len(activities) == 0 {
		t.Errorf("%d clients, %d applications, %d sign-ons, %d activities",
			len(clients), len(applications), len(signOns), len(activities))
	}
	u.Email = "new@example.com"
	must(t, s.UpdateUser(ctx, &u))
}

// TestNewerIsRefused: what a newer program wrote is left alone, and who is told so knows
// what to do.
func TestNewerIsRefused(t *testing.T) {
	where := empty(t)
	s := openAt(t, where)
	build(t, s, "one")
	must(t, s.PretendVersion(t.Context(), 9999))
	must(t, s.Close())
	_, err := store.Open(t.Context(), where)
	want(t, err, store.ErrNewer)
	for _, says := range []string{"version 9999", "start the newer program", "backup"} {
		if !strings.Contains(err.Error(), says) {
			t.Errorf("it does not say %q: %v", says, err)
		}
	}
	if _, again := store.Open(t.Context(), where); !errors.Is(again, store.ErrNewer) || again.Error() != err.Error() {
		t.Errorf("it was touched: %v", again)
	}
}
