package api

import (
	_ "embed" // the document
	"net/http"
)

// openAPI is the OpenAPI 3.1 document. A test writes it from the types that the
// handlers read and write, and holds every answer of the tests against it.
//
//go:embed openapi.json
var openAPI []byte

// serveOpenAPI answers everybody: it says nothing of any environment.
func serveOpenAPI(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/openapi+json;version=3.1")
	w.Header().Set("Cache-Control", "public, max-age=3600")
	_, _ = w.Write(openAPI) // the client is gone: nobody to tell
}
