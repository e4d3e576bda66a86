package console_test

import (
	"database/sql"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"ldap-gateway/cloud/console"
)

// rows counts the rows of every table of the database.
func (s *site) rows() map[string]int {
	s.t.Helper()
	db, err := sql.Open("sqlite", "file:"+s.file+"?mode=ro&_pragma=busy_timeout(5000)")
	s.must(err)
	defer db.Close()
	tables, err := db.QueryContext(s.t.Context(), `SELECT name FROM sqlite_master WHERE type = 'table'`)
	s.must(err)
	defer tables.Close()
	counts := map[string]int{}
	for tables.Next() {
		var name string
		s.must(tables.Scan(&name))
		var n int
		s.must(db.QueryRowContext(s.t.Context(), `SELECT count(*) FROM "`+name+`"`).Scan(&n))
		counts[name] = n
	}
	s.must(tables.Err())
	return counts
}

// mostTold is how many activities tell of wrong passwords for one administrator within an hour.
const mostTold = 5

// TestStrangersMakeNoRows: no request without a session has anything kept of it, with and
// without a form, but for the question about a passkey, which is bounded in number and life, and for a wrong password,
// which is told a few times.
func TestStrangersMakeNoRows(t *testing.T) {
	s := open(t)
	f := s.fill(s.env.ID, "")
	opened, closed := console.Routes()
	before := s.rows()
	send := func(pattern string) int {
		t.Helper()
		method, path := f.at(pattern)
		form := url.Values{"name": {"admin"}, "password": {"guess"}, "secret": {"guess"}, "code": {"000000"}}
		r, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(form.Encode()))
		s.must(err)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		answer, err := http.DefaultTransport.RoundTrip(r)
		s.must(err)
		s.must(answer.Body.Close())
		return answer.StatusCode
	}
	const asks = "POST /console/sign-in/passkey/options"
	for _, pattern := range append(opened, closed...) {
		if pattern == asks {
			continue
		}
		send(pattern)
		for table, n := range s.rows() {
			if most := map[string]int{"tries": 1, "activities": mostTold}[table]; n > before[table]+most { // one for an account that there is
				t.Errorf("%s: %d rows more in %s", pattern, n-before[table], table)
				before[table] = n
			}
		}
	}
	for range 200 {
		send(asks)
	}
	for table, n := range s.rows() {
		if most := map[string]int{"sessions": 60, "tries": 1, "activities": mostTold}[table]; n > before[table]+most {
			t.Errorf("200 questions about passkeys made %d rows in %s", n-before[table], table)
		}
	}
}
