package e2e

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"github.com/fxamacker/cbor/v2"
	"github.com/google/uuid"
)

// floorCloud is the least that a cloud of the same parts does for a sign-on: net/http takes
// it and answers, one websocket carries it to the floor's agent and back, and SQLite has a
// row of it on the disk before it is answered. It checks nothing but the token.
type floorCloud struct {
	folder string // with the answer, and the database
	answer []byte
	token  string
	rows   chan floorRow
	links  sync.Map // by kind of agent: *floorLink
}

// floorRow is a row that waits to be committed.
type floorRow struct {
	username string
	written  chan error
}

// floorSignOn is what the floor's cloud asks, and floorAnswer what it gets.
type floorSignOn struct {
	ID       uint64 `cbor:"1,keyasint"`
	Username string `cbor:"2,keyasint" json:"username"`
	Password string `cbor:"3,keyasint" json:"password"`
}

type floorAnswer struct {
	ID     uint64 `cbor:"1,keyasint"`
	Reason string `cbor:"2,keyasint"` // empty: the person signed on
}

// runFloorCloud runs it until the process is ended.
func runFloorCloud(folder string) error {
	answer, err := os.ReadFile(folder + "/answer.json")
	if err != nil {
		return err
	}
	c := &floorCloud{folder: folder, answer: answer, token: "floor", rows: make(chan floorRow)}
	if err := c.openRows(); err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /link/{kind}", c.link)
	mux.HandleFunc("POST /{kind}/v1/environments/floor/signOns", c.signOn)
	mux.HandleFunc("POST /{kind}/floor/as/token", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"access_token":%q,"expires_in":3600}`, c.token)
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("the floor is at " + listener.Addr().String())
	return http.Serve(listener, mux)
}

// signOn is the whole of one.
func (c *floorCloud) signOn(w http.ResponseWriter, r *http.Request) {
	var asked floorSignOn
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = json.Unmarshal(body, &asked)
	}
	link, linked := c.links.Load(r.PathValue("kind"))
	if err != nil || !linked || r.Header.Get("Authorization") != "Bearer "+c.token {
		http.Error(w, "no sign-on", http.StatusBadRequest)
		return
	}
	answer, err := link.(*floorLink).ask(asked)
	if err == nil && answer.Reason == "" {
		row := floorRow{asked.Username, make(chan error, 1)}
		c.rows <- row
		err = <-row.written
	}
	if err != nil || answer.Reason != "" {
		http.Error(w, fmt.Sprint(err, answer.Reason), http.StatusBadGateway)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(c.answer)
}

// floorLink is the websocket of one agent.
type floorLink struct {
	ws      *websocket.Conn
	last    atomic.Uint64
	waiting sync.Map // by ID: chan floorAnswer
}

func (c *floorCloud) link(w http.ResponseWriter, r *http.Request) {
	ws, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	l := &floorLink{ws: ws}
	c.links.Store(r.PathValue("kind"), l)
	for {
		var a floorAnswer
		if err := floorRead(ws, &a); err != nil {
			return
		}
		if answered, ok := l.waiting.LoadAndDelete(a.ID); ok {
			answered.(chan floorAnswer) <- a
		}
	}
}

func (l *floorLink) ask(s floorSignOn) (floorAnswer, error) {
	answered := make(chan floorAnswer, 1)
	s.ID = l.last.Add(1)
	l.waiting.Store(s.ID, answered)
	if err := floorWrite(l.ws, s); err != nil {
		return floorAnswer{}, err
	}
	return <-answered, nil
}

func floorRead(ws *websocket.Conn, v any) error {
	_, b, err := ws.Read(context.Background())
	if err != nil {
		return err
	}
	return cbor.Unmarshal(b, v)
}

func floorWrite(ws *websocket.Conn, v any) error {
	b, err := cbor.Marshal(v)
	if err != nil {
		return err
	}
	return ws.Write(context.Background(), websocket.MessageBinary, b)
}

// floorTable is of a row as sign_ons has it, with the indexes that a sign-on without
// groups is in.
const floorTable = `
	CREATE TABLE sign_ons (id TEXT PRIMARY KEY, environment_id TEXT, at INTEGER, username TEXT, user_id TEXT, line TEXT);
	CREATE INDEX sign_ons_at ON sign_ons (environment_id, at, id);
	CREATE INDEX sign_ons_user ON sign_ons (environment_id, user_id, at, id)`

// openRows opens the database as the cloud does, and has one write: those who wait while it
// does share the next commit.
func (c *floorCloud) openRows() error {
	db, err := sql.Open("sqlite", "file:"+c.folder+"/floor.db?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"+
		"&_pragma=temp_store(2)&_txlock=immediate")
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	if _, err := db.Exec(floorTable); err != nil {
		return err
	}
	add, err := db.Prepare(`INSERT INTO sign_ons VALUES (?, ?, ?, ?, ?, ?)`)
	if err != nil {
		return err
	}
	go c.writeRows(db, add)
	return nil
}

func (c *floorCloud) writeRows(db *sql.DB, add *sql.Stmt) {
	for first := range c.rows {
		batch := []chan error{first.written}
		tx, err := db.Begin()
		if err == nil {
			err = first.add(tx.Stmt(add))
		}
		for more := true; more && err == nil && len(batch) < 64; {
			select {
			case next := <-c.rows:
				batch = append(batch, next.written)
				err = next.add(tx.Stmt(add))
			default:
				more = false
			}
		}
		if err == nil {
			err = tx.Commit()
		}
		for _, written := range batch {
			written <- err
		}
	}
}

// add adds the row, with as many octets as one of sign_ons has.
func (r floorRow) add(stmt *sql.Stmt) error {
	environment, user := uuid.Nil.String(), uuid.NewSHA1(uuid.Nil, []byte(r.username)).String()
	_, err := stmt.Exec(uuid.Must(uuid.NewV7()), environment, time.Now().UnixMicro(), r.username, user, strings.Repeat("x", 200))
	return err
}
