package console

import (
	"encoding/csv"
	"io"
	"net/http"
	"strings"
	"time"

	"ldap-gateway/cloud/store"
)

// csvRow writes a row by RFC 4180. A value that a spreadsheet would take for a formula gets an
// apostrophe in front: names come from directories and strangers, and administrators open the file.
func csvRow(w io.Writer, row []string) error {
	for i, v := range row {
		if v != "" && strings.ContainsRune("=+-@\t\r", rune(v[0])) {
			row[i] = "'" + v
		}
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true
	if err := out.Write(row); err != nil {
		return err
	}
	out.Flush()
	return out.Error()
}

// table is a list as a file: part returns the rows of a page, and the cursor of the next.
type table struct {
	name string
	head []string
	part func(p store.Page) (rows [][]string, next string, err error)
}

// sendTable sends a whole list as CSV, read in parts, so that a long one needs no more memory than a
// short one. It ends with the session. What cannot be finished is cut off, so that nobody
// takes it for the whole.
func (c *console) sendTable(k *call, t table) error {
	all, next, err := t.part(store.Page{Limit: store.MaxLimit})
	if err != nil {
		return err
	}
	k.w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	name := t.name + "-" + c.now().UTC().Format(day) + ".csv"
	k.w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	out := http.NewResponseController(k.w)
	err = csvRow(k.w, t.head)
	for err == nil {
		_ = out.SetWriteDeadline(time.Now().Add(writeTime)) // where there is none, none cuts it off
		for _, row := range all {
			if err == nil {
				err = csvRow(k.w, row)
			}
		}
		if err != nil || next == "" {
			break
		}
		if err = c.still(k); err == nil {
			all, next, err = t.part(store.Page{Limit: store.MaxLimit, Cursor: next})
		}
	}
	if err != nil {
		panic(http.ErrAbortHandler) // the status has been sent: only a broken connection still tells
	}
	return nil
}
