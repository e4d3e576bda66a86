package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"ldap-gateway/cloud/api"
)

// document is the part of the OpenAPI document that the walk needs.
type document struct {
	Paths map[string]map[string]struct {
		RequestBody struct {
			Content map[string]struct {
				Schema struct {
					Ref string `json:"$ref"`
				}
			}
		}
	}
	Components struct{ Schemas map[string]schema }
}

// schema is one of the document's.
type schema struct {
	Ref        string `json:"$ref"`
	Type       string
	Properties map[string]schema
	Items      *schema
}

// UnmarshalJSON takes the schema that allows everything, which is true, for an empty one.
func (s *schema) UnmarshalJSON(b []byte) error {
	if string(b) == "true" {
		return nil
	}
	type plain schema
	return json.Unmarshal(b, (*plain)(s))
}

// named is the schema that a reference leads to.
func (d document) named(s schema) schema {
	if s.Ref == "" {
		return s
	}
	return d.Components.Schemas[strings.TrimPrefix(s.Ref, "#/components/schemas/")]
}

// strange is a value that is of no type but the one that a property is not of; nil where
// every value is taken and looked at later.
func strange(s schema) any {
	switch s.Type {
	case "string":
		return []any{1}
	case "boolean", "integer", "number", "object", "array":
		return "strange"
	}
	return nil
}

// tried are bodies with one strange value each, by the path of the value, as deep as the
// document says what is there.
func (d document) tried(s schema, front string, put func(any) any, depth int) map[string]any {
	all := map[string]any{}
	for name, property := range d.named(s).Properties {
		p := d.named(property)
		within := func(value any) any { return put(object{name: value}) }
		if value := strange(p); value != nil {
			all[front+name] = within(value)
		}
		if depth == 0 {
			continue
		}
		item, path := p, front+name+"."
		if p.Items != nil {
			item, path = d.named(*p.Items), front+name+"[0]."
			within = func(value any) any { return put(object{name: []any{value}}) }
		}
		for deeper, body := range d.tried(item, path, within, depth-1) {
			all[deeper] = body
		}
	}
	return all
}

// Every property that the document says a request may have is known, down to the parts of
// its parts: a value of another type is refused by its path, and so is one that the
// document does not know.
func TestEveryPropertyOfEveryRequest(t *testing.T) {
	s := full(t)
	b, err := os.ReadFile("openapi.json")
	s.must(err)
	var d document
	s.must(json.Unmarshal(b, &d))
	walked := 0
	for path, methods := range d.Paths {
		for method, operation := range methods {
			ref := operation.RequestBody.Content["application/json"].Schema.Ref
			if ref == "" || slices.Contains(decidedElsewhere, strings.ToUpper(method)+" "+path) {
				continue
			}
			address := s.fill(strings.TrimPrefix(path, "/v1/environments"))
			bodies := d.tried(schema{Ref: ref}, "", func(v any) any { return v }, 3)
			bodies["unheardOf"] = object{"unheardOf": true}
			for target, body := range bodies {
				walked++
				s.refusesStrange(strings.ToUpper(method), address, target, body)
			}
		}
	}
	if walked < 300 {
		t.Errorf("only %d properties were tried", walked)
	}
}

// decidedElsewhere are requests whose body is read by what it says.
var decidedElsewhere = []string{
	"PUT /v1/environments/{e}/users/{u}/password", // its document has both of what it may be
	"POST /v1/environments/{e}/signOns",           // a password is read by its own reader
}

// refusesStrange fails the test unless a request is refused by the path of its value.
func (s *site) refusesStrange(method, path, target string, body any) {
	s.t.Helper()
	r := httptest.NewRequestWithContext(s.t.Context(), method, api.Address(path), strings.NewReader(text(body)))
	r.Header.Set("Authorization", "Bearer "+s.token)
	r.Header.Set("Content-Type", "application/json")
	a := s.do(r)
	if a.status == http.StatusNotFound {
		return // of the things that the place has none of; their reader is that of the others
	}
	if a.status != http.StatusBadRequest || !strings.Contains(a.text, `"target":"`+target) {
		s.t.Errorf("%s %s with %s: %d %s", method, path, text(body), a.status, a.text)
	}
}
