package cloud

import (
	"net/http"
	"runtime/debug"

	"github.com/hashicorp/go-hclog"
)

// caught has the log tell of a request that panicked. Its connection ends: nobody takes half an
// answer for a whole one.
func caught(log hclog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			what := recover()
			if what == nil {
				return
			}
			if what != http.ErrAbortHandler {
				log.Error("a request ended in a fault of this program: please report it",
					"method", r.Method, "path", r.URL.Path, "fault", what, "stack", string(debug.Stack()))
			}
			panic(http.ErrAbortHandler)
		}()
		next.ServeHTTP(w, r)
	})
}
