package api

import (
	"maps"
	"slices"
)

// textOf is the text that a client gave; empty when it gave none.
func textOf(given *string) string {
	if given == nil {
		return ""
	}
	return *given
}

// told is a text as a client is told it: one that is empty is there only when it came so.
func told(value string, blank []string, name string) *string {
	if value == "" && !slices.Contains(blank, name) {
		return nil
	}
	return &value
}

// blanks are the names of the texts that came empty, in order.
func blanks(texts map[string]*string) (names []string) {
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		if t := texts[name]; t != nil && *t == "" {
			names = append(names, name)
		}
	}
	return names
}
