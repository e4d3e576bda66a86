package alerts

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/mail"
	"net/netip"
	"net/smtp"
	"net/url"
	"strings"
	"time"

	"ldap-gateway/cloud/outbound"
	"ldap-gateway/cloud/store"
)

// The ways in which alerts are told.
const (
	Webhook = "webhook"
	Email   = "email"
)

// PurposeSecret is what the vault seals secrets of webhooks for; the owner is the channel's ID.
const PurposeSecret = "webhook"

// sendTime bounds one telling, from the look-up of the name to the last answer: one
// server that hangs must not keep the others from being told.
const sendTime = 15 * time.Second

// ErrChannel says that nobody can be told in this way. Its text is for people.
var ErrChannel = errors.New("cannot be told this way")

// Sealer keeps secrets so that the database does not show them; *vault.Vault does.
type Sealer interface {
	Seal(purpose, owner string, secret []byte) []byte
	Open(purpose, owner string, sealed []byte) ([]byte, error)
}

// Post tells. Safe for concurrent use.
type Post struct {
	Vault   Sealer
	SMTP    string         // host:port of the mail server; empty: nothing is mailed
	From    string         // address that mails come from
	Allowed []netip.Prefix // networks that webhooks may be in although they are not public
	URL     string         // of the console
	RootCAs *x509.CertPool // of webhooks and the mail server; nil: the system's
}

// Message is what is told of an alert.
// Text and Remedy may have what an agent or a directory said, so a receiver must not take
// them for markup.
type Message struct {
	ID          string    `json:"id"`    // of the alert: the same for its begin and its end
	State       string    `json:"state"` // "open" or "ended"
	Code        string    `json:"code"`
	Environment string    `json:"environment"` // ID
	Name        string    `json:"environmentName"`
	Gateway     string    `json:"gateway,omitempty"` // ID
	Text        string    `json:"text"`
	Remedy      string    `json:"remedy,omitempty"`
	Since       time.Time `json:"since"`
	At          time.Time `json:"at"`
}

// messageOf is what is told of an alert, whether it lasts or is over.
func messageOf(e store.Environment, a store.Alert, now time.Time) Message {
	m := Message{
		ID:          a.Key,
		State:       "open",
		Code:        a.Code,
		Environment: e.ID,
		Name:        e.Name,
		Gateway:     a.GatewayID,
		Text:        a.Text,
		Remedy:      a.Remedy,
		Since:       a.Since,
		At:          now,
	}
	// An alert has an end only when it is over.
	if !a.EndedAt.IsZero() {
		m.State = "ended"
	}
	return m
}

// Trial is a message that says that nothing is wrong.
// It is sent at once and by hand, so that an administrator learns today, and not on the
// day, whether anybody is reached.
func Trial(e store.Environment, now time.Time) Message {
	return Message{
		ID:          "trial",
		State:       "open",
		Code:        "trial",
		Environment: e.ID,
		Name:        e.Name,
		Text:        "This is a trial: nothing is wrong.",
		Since:       now,
		At:          now,
	}
}

// Make returns a channel with a new secret for it, which a webhook's receiver is
// given once; mail has none. ErrChannel when the target cannot be one.
// Whether a name leads to a public address is found out when it is dialled, since it may lead
// elsewhere by then. The errors are sentences for administrators without a period.
func (p *Post) Make(env, id, kind, target string) (c store.AlertChannel, secret string, err error) {
	c = store.AlertChannel{ID: id, EnvironmentID: env, Kind: kind, Target: target}
	switch kind {
	case Webhook:
		u, err := url.Parse(target)
		// A password in the address would be shown in the console with it. What comes
		// after a # is never sent.
		if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.Fragment != "" || len(target) > 2000 {
			return c, "", fmt.Errorf(
				"%w: a webhook is an address that begins with https://, without a password in it",
				ErrChannel,
			)
		}
		if err := p.guard().Names(target); err != nil {
			return c, "", fmt.Errorf("%w: %w", ErrChannel, err)
		}
		// It has 256 bits, as many as the digest that it makes.
		b := make([]byte, 32)
		rand.Read(b) // never fails
		secret = base64.RawURLEncoding.EncodeToString(b)
		// The seal is for this channel: a secret that is copied to another's row cannot
		// be opened.
		c.Sealed = p.Vault.Seal(PurposeSecret, id, []byte(secret))
	case Email:
		a, err := mail.ParseAddress(target)
		// Neither a name beside the address nor a line break: the latter would begin a
		// command of SMTP.
		if err != nil || a.Address != target || strings.ContainsAny(target, "\r\n") {
			return c, "", fmt.Errorf("%w: a mail address looks like alerts@example.com", ErrChannel)
		}
		if p.SMTP == "" {
			return c, "", fmt.Errorf(
				"%w: this cloud has no mail server: ldap-cloud run --smtp HOST:PORT --mail-from ADDRESS",
				ErrChannel,
			)
		}
	default:
		return c, "", fmt.Errorf("%w: neither webhook nor email", ErrChannel)
	}
	return c, secret, nil
}

// Send tells one channel. Its error is for administrators.
// It returns within sendTime. What it says is kept and shown, so no part of an answer
// is in it but the status.
func (p *Post) Send(ctx context.Context, c store.AlertChannel, m Message) error {
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	if c.Kind == Email {
		return p.mail(ctx, c.Target, m)
	}
	return p.call(ctx, c, m)
}

// guard holds us to what webhooks may be.
func (p *Post) guard() outbound.Guard {
	return outbound.Guard{Allowed: p.Allowed, Flag: "--webhook-network", RootCAs: p.RootCAs}
}

// call sends a message to a webhook, signed. It reaches public addresses, and those that
// are allowed.
func (p *Post) call(ctx context.Context, c store.AlertChannel, m Message) error {
	secret, err := p.Vault.Open(PurposeSecret, c.ID, c.Sealed)
	if err != nil {
		return fmt.Errorf("the secret of the webhook: %w", err)
	}
	body, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if err := p.guard().Post(ctx, c.Target, "application/json", secret, body, m.At); err != nil {
		return fmt.Errorf("the webhook: %w", err)
	}
	return nil
}

// mail sends a message by SMTP (RFC 5321), over TLS when the server offers it.
// The mail server is the operator's own and stands in the program's flags, so it may be
// anywhere.
func (p *Post) mail(ctx context.Context, to string, m Message) error {
	if p.SMTP == "" {
		return fmt.Errorf("%w: this cloud has no mail server", ErrChannel)
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", p.SMTP)
	if err != nil {
		return fmt.Errorf("the mail server: %w", err)
	}
	defer conn.Close()
	if end, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(end) // fails only when it is closed, and then so does all else
	}
	if err := p.speak(conn, to, m); err != nil {
		return fmt.Errorf("the mail server: %w", err)
	}
	return nil
}

// speak is one mail from greeting to farewell. TLS that was offered must succeed:
// falling back would let whoever is between read it.
// A mail that was taken before the farewell failed counts as failed, and is sent once
// more.
func (p *Post) speak(conn net.Conn, to string, m Message) error {
	host, _, err := net.SplitHostPort(p.SMTP)
	if err != nil {
		return err
	}
	c, err := smtp.NewClient(conn, host)
	if err != nil {
		return err
	}
	if offered, _ := c.Extension("STARTTLS"); offered {
		if err := c.StartTLS(&tls.Config{ServerName: host, RootCAs: p.RootCAs, MinVersion: tls.VersionTLS12}); err != nil {
			return err
		}
	}
	// Both are sent whatever comes of the first; the server refuses what then makes no
	// sense.
	if err := errors.Join(c.Mail(p.From), c.Rcpt(to)); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	_, err = w.Write(p.letter(to, m))
	return errors.Join(err, w.Close(), c.Quit())
}

// letter is the mail. Nothing in it can be a header of its own: names come from
// directories and agents.
// The body is in base64, in lines of 76 characters (RFC 2045 section 6.8), so that no
// text can be a command of SMTP either.
func (p *Post) letter(to string, m Message) []byte {
	subject := m.Text
	if m.State == "ended" {
		subject = "Over: " + subject
	}
	// What is over says so in its first word, and a line break begins no header.
	oneLine := strings.NewReplacer("\r", " ", "\n", " ")
	var b bytes.Buffer
	for _, header := range []string{
		"From: ldap-cloud <" + p.From + ">",
		"To: " + to,
		"Subject: " + mime.QEncoding.Encode("utf-8", oneLine.Replace(subject)),
		"Date: " + m.At.UTC().Format(time.RFC1123Z),
		"Auto-Submitted: auto-generated", // RFC 3834: no holiday replies, please
		"MIME-Version: 1.0",
		"Content-Type: text/plain; charset=utf-8",
		"Content-Transfer-Encoding: base64",
		"", // the end of the header
	} {
		b.WriteString(header + "\r\n")
	}
	text := subject + "\n\n"
	if m.Remedy != "" && m.State == "open" {
		text += "What helps: " + m.Remedy + "\n\n"
	}
	text += "Environment: " + m.Name + "\n"
	text += "Since: " + m.Since.UTC().Format("2006-01-02 15:04:05 UTC") + "\n"
	text += "Console: " + p.URL + "/console/settings/alerts\n"
	encoded := base64.StdEncoding.EncodeToString([]byte(text))
	for len(encoded) > 76 {
		b.WriteString(encoded[:76] + "\r\n")
		encoded = encoded[76:]
	}
	b.WriteString(encoded + "\r\n")
	return b.Bytes()
}
