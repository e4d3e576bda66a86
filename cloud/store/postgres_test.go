package store_test

import (
	"database/sql"
	"testing"
	"time"

	"ldap-gateway/cloud/store"
	"ldap-gateway/cloud/store/pgtest"
)

// A node that has the turn and says nothing more loses it, and the others write.
func TestPostgresTurnOfTheDead(t *testing.T) {
	where := pgtest.Start(t).Database()
	s := openAt(t, where)
	w := build(t, s, "one")
	db, err := sql.Open("pgx", where)
	must(t, err)
	defer db.Close()
	dead, err := db.Begin()
	must(t, err)
	_, err = dead.Exec(store.TakeTurn)
	must(t, err)
	from := time.Now()
	must(t, s.CreateUser(t.Context(), &store.User{
		EnvironmentID: w.env.ID,
		PopulationID:  w.population.ID,
		Username:      "next",
	}))
	if took := time.Since(from); took > 8*time.Second {
		t.Errorf("it took %s", took)
	}
}

// A node compares its clock with the database's.
func TestPostgresTellsTheTime(t *testing.T) {
	s := openAt(t, pgtest.Start(t).Database())
	if ahead, err := s.Ahead(t.Context()); err != nil || ahead == 0 || ahead.Abs() > 2*time.Second {
		t.Errorf("on one machine %s ahead, %v", ahead, err)
	}
}

// A store finds its database again, without being told.
func TestPostgresRestarted(t *testing.T) {
	server := pgtest.Start(t)
	s := openAt(t, server.Database())
	w := build(t, s, "one")
	for range 3 {
		server.Stop()
		if err := s.RecordSignOn(t.Context(), &store.SignOn{EnvironmentID: w.env.ID}); err == nil {
			t.Error("written without a database")
		}
		if s.Ping(t.Context()) == nil {
			t.Error("it is said to answer")
		}
		server.Restart()
		must(t, s.Ping(t.Context()))
		must(t, s.RecordSignOn(t.Context(), &store.SignOn{EnvironmentID: w.env.ID}))
		_, err := s.User(t.Context(), w.env.ID, w.user.ID)
		must(t, err)
	}
}
