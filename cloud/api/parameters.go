package api

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// parameters returns which parameters of the query each address has, by method and path, as the document says.
func parameters() map[string][]string {
	var document struct {
		Paths map[string]map[string]struct {
			Parameters []struct{ In, Name string }
		}
	}
	if err := json.Unmarshal(openAPI, &document); err != nil {
		panic(err) // it is part of the program, and no test passes then
	}
	all := map[string][]string{}
	for path, operations := range document.Paths {
		for method, operation := range operations {
			at := strings.ToUpper(method) + " " + path
			for _, p := range operation.Parameters {
				if p.In == "query" {
					all[at] = append(all[at], p.Name)
				}
			}
		}
	}
	return all
}

// additions say what an answer has besides. Clients made for other products send them everywhere, with words that are
// passed over: see asks.
var additions = [...]string{"expand", "include"}

// mostWrongs is how many parameters a refusal names.
const mostWrongs = 20

// checkQuery refuses by name, where something is read, a parameter that the address does not have, or that is there
// twice: a filter that is misspelt, or the second of two, would bring everybody.
func (c *call) checkQuery(has []string) error {
	if c.Method != http.MethodGet && c.Method != http.MethodHead {
		return nil
	}
	there := "Nothing is asked of this address by parameters."
	if len(has) > 0 {
		there = "There are: " + strings.Join(has, ", ") + "."
	}
	var wrongs []detail
	for name, values := range c.URL.Query() {
		if len(values) > 1 {
			wrongs = append(wrongs, wrong(name, "It is given %d times: give it once.", len(values)))
		}
		if !slices.Contains(has, name) && !slices.Contains(additions[:], name) {
			wrongs = append(wrongs, wrong(name, "There is no such parameter. %s", there))
		}
	}
	slices.SortFunc(wrongs, func(a, b detail) int { return strings.Compare(a.Target, b.Target) })
	return invalid(wrongs[:min(len(wrongs), mostWrongs)]...)
}
