package console

import (
	"net/url"
	"slices"
)

// column is a column of a list.
type column struct {
	sort, word string // by what the list is sorted, in the address, and the heading
	number     bool   // it has numbers, and nothing is sorted by it
	last       bool   // the last of the order comes first, unless somebody turns it round
	oneWay     bool   // nobody can
}

// sorted is in which order a list is asked for.
type sorted struct {
	column
	columns    []column
	descending bool
	at         *url.URL
}

// The words of the address for the direction of an order; without one it is the column's own.
const upward, downward = "asc", "desc"

// sortedBy reads the order of a list of those columns. A word that is none of them is the first.
func (k *call) sortedBy(columns []column) sorted {
	s := sorted{column: columns[0], columns: columns, at: k.URL}
	for _, c := range columns {
		if !c.number && c.sort == k.query("sort") {
			s.column = c
		}
	}
	s.descending = s.last
	if way := k.query("order"); !s.oneWay && slices.Contains([]string{upward, downward}, way) {
		s.descending = way == downward
	}
	return s
}

// heading is one above a column, as it is shown.
type heading struct {
	Word   string
	Number bool
	At     string // where the list is sorted by it, or the other way round; empty: nowhere
	Way    string // ascending or descending, of the one that it is sorted by
}

// Arrow is the direction as it is seen.
func (h heading) Arrow() string {
	return map[string]string{"ascending": "▲", "descending": "▼"}[h.Way]
}

// Headings are those of all columns. Each leads to the first part of the list that the filter lets through.
func (s sorted) Headings() (all []heading) {
	for _, c := range s.columns {
		h := heading{Word: c.word, Number: c.number}
		turned := ""
		if c == s.column {
			h.Way = "ascending"
			if s.descending {
				h.Way = "descending"
			}
			if s.descending == c.last && !c.oneWay {
				turned = map[bool]string{true: upward, false: downward}[s.descending]
			}
		}
		if !c.number {
			h.At = s.link(c.sort, turned)
		}
		all = append(all, h)
	}
	return all
}

// link is the address of the list in an order.
func (s sorted) link(sort, order string) string {
	q := s.at.Query()
	for _, name := range []string{"cursor", "before", "sort", "order"} {
		q.Del(name)
	}
	if sort != "" {
		q.Set("sort", sort)
	}
	if order != "" {
		q.Set("order", order)
	}
	return (&url.URL{Path: s.at.Path, RawQuery: q.Encode()}).String()
}

// Kept is what a form that asks for another filter says so that the order stays.
func (s sorted) Kept() (all []property) {
	if s.sort != "" {
		all = append(all, property{"sort", s.sort})
	}
	if s.descending != s.last {
		all = append(all, property{"order", map[bool]string{true: downward, false: upward}[s.descending]})
	}
	return all
}
