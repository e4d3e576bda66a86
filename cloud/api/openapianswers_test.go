package api

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"sync"

	validator "github.com/santhosh-tekuri/jsonschema/v6"
)

// answers returns what compiles the schemas of the document's answers. The library
// compiles one at a time.
var answers = sync.OnceValues(func() (func(location string) (*validator.Schema, error), error) {
	doc, err := validator.UnmarshalJSON(bytes.NewReader(openAPI))
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	c := validator.NewCompiler()
	return func(location string) (*validator.Schema, error) {
		mu.Lock()
		defer mu.Unlock()
		return c.Compile(location)
	}, c.AddResource("openapi.json", doc)
})

// CheckAnswer tells whether an answer to a request is as the document says.
func CheckAnswer(pattern string, status int, body []byte) error {
	method, path, _ := strings.Cut(pattern, " ")
	if !strings.HasPrefix(path, "/v1/") || path == "/v1/openapi.json" || len(body) == 0 {
		return nil
	}
	compile, err := answers()
	if err != nil {
		return err
	}
	key := fmt.Sprint(status)
	if status >= http.StatusBadRequest {
		key = "default"
	}
	escape := strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D")
	s, err := compile("openapi.json#/paths/" + escape.Replace(path) + "/" + strings.ToLower(method) +
		"/responses/" + key + "/content/application~1json/schema")
	if err != nil {
		return err
	}
	value, err := validator.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return err
	}
	return s.Validate(value)
}
