package signon

import (
	"context"
	"fmt"

	"ldap-gateway/cloud/throttle"
)

// said is a line of the log, with an error if there is one.
func said(err error, line ...any) []any {
	if err != nil {
		line = append(line, "error", err)
	}
	return line
}

// late returns what an error is that came when the time for all was over: whoever waited so long
// may come again, whatever it was that was waited for.
func late(caller, ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil || caller.Err() != nil {
		return err
	}
	return fmt.Errorf("%w: it took longer than %s: %v", throttle.ErrFull, limit, err)
}
