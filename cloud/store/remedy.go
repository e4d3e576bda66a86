package store

import (
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Remedy is what an administrator does about an error that says the database, or a copy of it, cannot be read or
// written; empty: it says something else.
func Remedy(err error) string {
	var file *sqlite.Error
	var refused *pgconn.PgError
	switch {
	case errors.As(err, &file) && away(file):
		return remedyOfFile(file.Code() & 0xff)
	case errors.As(err, &refused) && away(refused):
		return remedyOfServer(refused.Code)
	case errors.Is(err, ErrUnavailable):
		return "see whether what the database is on, its disk or its server, answers"
	}
	return ""
}

// remedyOfServer is Remedy of an SQLSTATE.
func remedyOfServer(code string) string {
	switch code {
	case "53100":
		return "make room on the disk of the PostgreSQL server"
	case "53300":
		return "let the PostgreSQL server take more connections (max_connections), or end some"
	case "25006":
		return "name the PostgreSQL server that takes writes: this one is a standby, or reads only"
	}
	return "see whether the PostgreSQL server runs and what its log says"
}

// remedyOfFile is Remedy of a result code of SQLite.
func remedyOfFile(code int) string {
	switch code {
	case sqlite3.SQLITE_FULL:
		return "make room on the disk that the file is on"
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN:
		return "have the folder's disk mounted for writing, and the folder and what is in it belong to who runs this program"
	case sqlite3.SQLITE_BUSY:
		return "end what else has the database open, such as sqlite3"
	case sqlite3.SQLITE_NOMEM:
		return "give the program more memory"
	}
	return "see whether the disk that the file is on has room, and what the system's log says of it"
}
