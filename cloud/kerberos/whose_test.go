package kerberos

import "testing"

// TestWhoseATicketIs: nothing is told that is not in the ticket.
func TestWhoseATicketIs(t *testing.T) {
	for _, c := range []struct {
		ticket Ticket
		want   string
	}{
		{Ticket{Principal: "alice", Realm: "EXAMPLE.COM"}, "alice@EXAMPLE.COM"},
		{Ticket{Principal: "alice/admin", Realm: "X", SID: "S-1-5-21-1"}, `alice/admin@X, SID "S-1-5-21-1"`},
	} {
		if got := c.ticket.whose(); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}
