package signonpage

import (
	"errors"
	"net/http"

	"ldap-gateway/cloud/kerberos"
)

// ticketTest is the page that says how a ticket would fare.
type ticketTest struct {
	Sent    bool // the browser brought something
	Proof   kerberos.Proof
	EType   string
	Refusal *kerberos.Refusal
}

// testTicket asks for a ticket and explains it. Nobody is signed on by it.
// It shows what is in the ticket to whoever brings it, and to nobody else.
func (k *call) testTicket() error {
	taken, err := k.Tickets.Taken(k.Context(), k.env.ID)
	if err != nil {
		return err
	}
	if !taken {
		return k.render(http.StatusOK, "ticket.html", "Kerberos test", ticketTest{
			Sent:    true,
			Refusal: &kerberos.Refusal{Reason: kerberos.ReasonOff},
		})
	}
	header := k.Header.Get("Authorization")
	if !kerberos.Negotiates(header) {
		k.w.Header().Set("WWW-Authenticate", "Negotiate")
		return k.render(http.StatusUnauthorized, "ticket.html", "Kerberos test", ticketTest{})
	}
	t := ticketTest{Sent: true}
	t.Proof, err = k.Tickets.Explain(k.Context(), kerberos.Request{
		EnvironmentID: k.env.ID,
		Header:        header,
		Address:       k.address(),
	})
	if err != nil && !errors.As(err, &t.Refusal) {
		return err
	}
	t.EType = kerberos.ETypeName(t.Proof.EType)
	return k.render(http.StatusOK, "ticket.html", "Kerberos test", t)
}
