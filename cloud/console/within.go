package console

import (
	"context"
	"time"

	"ldap-gateway/cloud/throttle"
)

// exportTime is how long a list that is sent whole may take: what is not sent by then is cut
// off. A million rows take a minute.
const exportTime = 15 * time.Minute

// within has so many of an endpoint be under way at once, by environment and by account. Its
// error is throttle.ErrFull beyond them.
func (c *console) within(q *throttle.Queue, e endpoint) endpoint {
	return func(k *call) error {
		leave, err := q.Enter(k.Context(), throttle.Who{
			Owner:   k.env(),
			Network: throttle.Network(k.address()),
			Name:    k.admin.account(),
		})
		if err != nil {
			return err
		}
		defer leave()
		return e(k)
	}
}

// whole is within for a list that is sent whole, which has an end.
func (c *console) whole(e endpoint) endpoint {
	return c.within(c.Exports, func(k *call) error {
		ctx, cancel := context.WithTimeout(k.Context(), exportTime)
		defer cancel()
		k.Request = k.WithContext(ctx)
		return e(k)
	})
}
