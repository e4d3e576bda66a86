package signonpage

import (
	"fmt"
	"regexp"
)

// colour is one as a stylesheet may have it; what is kept otherwise is left out.
var colour = regexp.MustCompile(`^#[0-9a-f]{6}$`)

// colours answers with the stylesheet of the environment's own colours, which comes after the usual one.
func (k *call) colours() error {
	k.w.Header().Set("Content-Type", "text/css; charset=utf-8")
	k.w.Header().Set("Cache-Control", "public, max-age=86400")
	for scheme, value := range map[string]string{
		"light": k.env.Settings.Brand.Colour,
		"dark":  k.env.Settings.Brand.DarkColour,
	} {
		if colour.MatchString(value) {
			// The browser is gone when it fails: nobody to tell.
			_, _ = fmt.Fprintf(k.w, "@media (prefers-color-scheme: %s) { :root { --act: %s; } }\n", scheme, value)
		}
	}
	return nil
}
