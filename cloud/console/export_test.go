package console

import "slices"

// Routes returns the patterns that need no session, and those that do.
func Routes() (open, closed []string) {
	c := &console{Server: &Server{}}
	for p := range c.open() {
		open = append(open, p)
	}
	for p := range c.closed() {
		closed = append(closed, p)
	}
	slices.Sort(open)
	slices.Sort(closed)
	return open, closed
}
