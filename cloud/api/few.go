package api

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ldap-gateway/cloud/store"
)

// few answers with a short list, narrowed by the filter of the request: all of it, unless
// the request has a limit. The cursor is where the page begins. Fields are what it can be
// searched by: see parseFilter.
func few[From, To any](c *call, name string, all []From, show func(From) To, fields ...string) (reply, error) {
	page, err := c.page(fields...)
	if err != nil {
		return reply{}, err
	}
	start, err := strconv.Atoi(cmp.Or(page.Cursor, "0"))
	if err != nil || start < 0 {
		return reply{}, store.ErrCursor
	}
	shown := []To{}
	for _, i := range all {
		b := show(i)
		is, err := holds(page.Where, b)
		if err != nil {
			return reply{}, err
		}
		if is {
			shown = append(shown, b)
		}
	}
	next, end := "", len(shown)
	if page.Limit > 0 && start+page.Limit < end {
		end = start + page.Limit
		next = strconv.Itoa(end)
	}
	return listed(c, name, shown[min(start, end):end], next, func(b To) To { return b })
}

// item is the path of one of a list.
func item(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

// holds tells whether a condition holds of what is shown.
func holds(w store.Where, shown any) (bool, error) {
	b, err := json.Marshal(shown)
	if err != nil {
		return false, err
	}
	var body any
	err = json.Unmarshal(b, &body)
	return holdsOf(w, body), err
}

// holdsOf is holds for a body that was decoded.
func holdsOf(w store.Where, body any) bool {
	is := func(part store.Where) bool { return holdsOf(part, body) }
	isNot := func(part store.Where) bool { return !is(part) }
	switch {
	case len(w.All) > 0:
		return !slices.ContainsFunc(w.All, isNot)
	case len(w.Any) > 0:
		return slices.ContainsFunc(w.Any, is)
	case len(w.None) > 0:
		return !slices.ContainsFunc(w.None, is)
	case w.Condition == store.Condition{}:
		return true
	}
	return slices.ContainsFunc(valuesAt(body, w.Field), w.Condition.Holds)
}

// valuesAt are the values at a path; each item of a list has its own.
func valuesAt(body any, path string) (values []string) {
	if list, is := body.([]any); is {
		for _, one := range list {
			values = append(values, valuesAt(one, path)...)
		}
		return values
	}
	if path == "" {
		if body == nil {
			return nil
		}
		return []string{fmt.Sprint(body)}
	}
	name, rest, _ := strings.Cut(path, ".")
	object, _ := body.(map[string]any)
	return valuesAt(object[name], rest)
}
