package evidence

import (
	"encoding/json"
	"strings"
	"time"
)

// Evidence is what a provider has proven of one person. What it says beyond the
// subject is its word.
type Evidence struct {
	Subject    string // never empty; compared as it is
	Qualifiers string // of a SAML NameID; empty: none
	// Claims are the sources of values, the one that wins first: UserInfo, then the ID
	// token; of SAML one, in which every attribute is a list.
	Claims   []map[string]any
	Failed   bool          // a source that was to be asked gave no answer
	At       time.Time     // when the person proved it; zero: not said
	Until    time.Time     // when that ends; zero: not said
	Methods  []string      // how they did, as the provider says (RFC 8176); nil: not said
	Contexts []string      // acr, or classes of authentication contexts; nil: not said
	Key      string        // what proved the answer: a key ID, or a certificate's ID
	Skew     time.Duration // of the provider's clock: positive when it is ahead
	Name     string        // of the provider, for reasons
	Unstable bool          // the subject is another one at each sign-on
}

// Path leads to a value in claims.
type Path struct {
	Whole string   // name that is tried first; empty: none
	Steps []string // names, each in the object before
}

// Named is the path of one claim, whatever signs its name has.
func Named(name string) Path { return Path{Steps: []string{name}} }

// String returns the path as people write it.
func (p Path) String() string { return strings.Join(p.Steps, ".") }

// find returns the value at the path; false when there is none, or null.
func (p Path) find(claims map[string]any) (any, bool) {
	if v, ok := claims[p.Whole]; ok && p.Whole != "" && v != nil {
		return v, true
	}
	var at any = claims
	for _, step := range p.Steps {
		object, ok := at.(map[string]any)
		if !ok {
			return nil, false
		}
		if at = object[step]; at == nil {
			return nil, false
		}
	}
	return at, len(p.Steps) > 0
}

// blocked tells whether something else stands where the path leads through, so that
// nothing can be said of what is at its end.
func (p Path) blocked(claims map[string]any) bool {
	var at any = claims
	for _, step := range p.Steps {
		object, ok := at.(map[string]any)
		if !ok {
			return true
		}
		if at = object[step]; at == nil {
			return false
		}
	}
	return false
}

// Value returns the text at the path of the source that wins; of a list the first.
// It is empty when there is none.
func (e Evidence) Value(p Path) string {
	for _, claims := range e.Claims {
		if v, ok := p.find(claims); ok {
			if text := first(v); text != "" {
				return text
			}
		}
	}
	return ""
}

// first returns the text of a value, or of the first element of a list.
func first(v any) string {
	if list, ok := v.([]any); ok {
		if len(list) == 0 {
			return ""
		}
		v = list[0]
	}
	switch v := v.(type) {
	case string:
		return clean(v)
	case json.Number:
		return v.String()
	case bool:
		if v {
			return "true"
		}
		return "false"
	}
	return ""
}

// Shown returns the values at the path of all sources as people read them, each once.
func (e Evidence) Shown(p Path) (all []string) {
	seen := map[string]bool{}
	for _, claims := range e.Claims {
		v, ok := p.find(claims)
		if !ok {
			continue
		}
		list, many := v.([]any)
		if !many {
			list = []any{v}
		}
		for _, element := range list {
			if text := shown(element); !seen[text] {
				seen[text] = true
				all = append(all, text)
			}
		}
	}
	return all
}

// shown writes a value for people.
func shown(v any) string {
	if text, ok := v.(string); ok {
		return text
	}
	b, err := json.Marshal(v)
	if err != nil {
		return "?" // only what is no JSON gets here
	}
	return string(b)
}

// Has tells whether any source has something at the path.
func (e Evidence) Has(p Path) bool {
	for _, claims := range e.Claims {
		if _, ok := p.find(claims); ok {
			return true
		}
	}
	return false
}

// Names lists the names of what came, at most a hundred of each source.
func (e Evidence) Names() []string {
	seen := map[string]bool{}
	for _, claims := range e.Claims {
		n := 0
		for name := range claims {
			if n++; n <= mostNames && len(name) <= mostRunes {
				seen[name] = true
			}
		}
	}
	return sorted(seen)
}

const mostNames = 100
