package command

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"ldap-gateway/agent"
	"ldap-gateway/agent/command/dialogue"
	"ldap-gateway/configs"
	"ldap-gateway/directory"
)

// askCloud asks where the cloud is until it answers.
func (s *setup) askCloud(ctx context.Context) error {
	if s.keep != nil {
		return nil
	}
	s.draft.CloudCA, s.draft.Proxy = fromHere(s.flags.cloudCA), s.flags.proxy
	for {
		answer, err := s.Ask(ctx, dialogue.Question{
			Flag:    "cloud",
			Text:    "URL of your cloud, such as https://id.example.com",
			Default: s.draft.CloudURL,
		})
		if err != nil {
			return err
		}
		if !strings.Contains(answer, "://") {
			answer = "https://" + answer
		}
		s.draft.CloudURL = strings.TrimRight(answer, "/")
		file, err := s.parsed()
		if err == nil {
			var ok bool
			if ok, err = s.tryCloud(ctx, file); ok {
				return nil
			}
		}
		if err == nil {
			err = errors.New("the cloud does not answer as it should")
		}
		if errors.Is(err, dialogue.ErrBack) {
			continue
		}
		if err := s.again(err); err != nil {
			return err
		}
	}
}

// tryCloud shows whether the cloud answers. Where its certificate is not trusted it
// asks for an authority, where it cannot be reached for a proxy, and tries again.
func (s *setup) tryCloud(ctx context.Context, file *configs.Gateway) (bool, error) {
	rows := checkCloud(ctx, file)
	if err := printRows(s.Out, rows); err != nil {
		return false, err
	}
	if ctx.Err() != nil || rows[0].State != directory.Failed || s.Silent {
		return !slices.ContainsFunc(rows, failed), ctx.Err()
	}
	proxy, err := s.Ask(ctx, dialogue.Question{
		Flag:  "proxy",
		Text:  "Proxy between here and the cloud, such as http://proxy.example.com:3128; Return for none",
		Empty: true,
	})
	if err != nil {
		return false, err
	}
	ca, err := s.Ask(ctx, dialogue.Question{
		Flag:  "cloud-ca",
		Text:  "File with the authority of the cloud's certificate; Return for those of this machine",
		Empty: true,
	})
	ca = fromHere(ca)
	if err != nil || proxy == s.draft.Proxy && ca == s.draft.CloudCA {
		return false, err
	}
	s.draft.Proxy, s.draft.CloudCA = proxy, ca
	if file, err = s.parsed(); err != nil {
		return false, err
	}
	rows = checkCloud(ctx, file)
	return !slices.ContainsFunc(rows, failed), errors.Join(printRows(s.Out, rows), ctx.Err())
}

func failed(row directory.Check) bool { return row.State == directory.Failed }

// fromHere makes a path that somebody gave one that gateway.hcl can have.
func fromHere(path string) string {
	if path == "" {
		return ""
	}
	whole, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	return filepath.ToSlash(whole)
}

// askServers asks for the directory until one of its servers can be reached.
func (s *setup) askServers(ctx context.Context) error {
	if s.keep != nil {
		return nil
	}
	for {
		fallback := s.draft.Discover
		if len(s.draft.Servers) > 0 {
			fallback = strings.Join(s.draft.Servers, " ")
		}
		if fallback == "" {
			fallback = domain()
		}
		answer, err := s.Ask(ctx, dialogue.Question{
			Flag:    "server",
			Text:    "Domain of your directory, or URLs of its servers such as ldaps://dc1.example.com",
			Default: fallback,
		})
		if err != nil {
			return err
		}
		s.draft.Servers, s.draft.Discover = nil, answer
		if strings.Contains(answer, "://") {
			s.draft.Servers, s.draft.Discover = strings.FieldsFunc(answer, func(r rune) bool { return r == ' ' || r == ',' }), ""
		}
		s.draft.Pins, s.draft.DirectoryCA = s.flags.pins, fromHere(s.flags.directoryCA)
		err = s.look(ctx)
		if shown := s.showCertificates(s.presented); shown != nil || err == nil {
			return shown
		}
		if err := s.again(err); err != nil {
			return err
		}
	}
}

// domain is what this machine says of itself; empty when it does not.
func domain() string {
	if d := os.Getenv("USERDNSDOMAIN"); d != "" {
		return strings.ToLower(d)
	}
	host, _ := os.Hostname() // empty when the system does not know
	_, d, _ := strings.Cut(host, ".")
	return d
}

// people opens the directory as the draft says.
func (s *setup) people() (*directory.Client, error) {
	file, err := s.parsed()
	if err != nil {
		return nil, err
	}
	return directory.Open(agent.DirectoryConfig(file.Directory, nil))
}

// look has the servers show their certificates.
func (s *setup) look(ctx context.Context) error {
	s.presented = nil
	people, err := s.people()
	if err != nil {
		return err
	}
	defer people.Close()
	s.presented, err = people.Look(ctx)
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if !slices.ContainsFunc(s.presented, func(p directory.Presented) bool { return len(p.Chain) > 0 }) {
		return errors.New("no server showed a certificate")
	}
	return nil
}

func (s *setup) showCertificates(all []directory.Presented) (err error) {
	for _, p := range all {
		if len(p.Chain) > 0 {
			s.showCertificate(p)
		} else {
			err = errors.Join(err, printRows(s.Out, p.Rows))
		}
	}
	return err
}

func (s *setup) showCertificate(p directory.Presented) {
	leaf := p.Chain[0]
	trusted := "yes"
	if s.draft.DirectoryCA == "" && len(s.draft.Pins) == 0 {
		trusted = "yes, by the authorities of this machine"
	}
	if !p.Trusted() {
		trusted = "NO: " + oneLine(p.Rows[len(p.Rows)-1].Detail)
	}
	fmt.Fprintf(
		s.Out,
		"\n%s shows this certificate:\n  for      %s\n  issuer   %s\n  SHA-256  %x\n  until    %s, %d days left\n  "+
			"trusted  %s\n\n",
		p.Server,
		p.Names,
		leaf.Issuer,
		sha256.Sum256(leaf.Raw),
		leaf.NotAfter.Format(time.DateOnly),
		int(time.Until(leaf.NotAfter).Hours()/24),
		trusted,
	)
}

// distrusted are the servers whose certificate came and is not believed.
func (s *setup) distrusted() (out []directory.Presented) {
	for _, p := range s.presented {
		if len(p.Chain) > 0 && !p.Trusted() {
			out = append(out, p)
		}
	}
	return out
}

// askTrust asks about certificates that are not believed, until all are.
func (s *setup) askTrust(ctx context.Context) error {
	if s.keep != nil {
		return nil
	}
	for {
		bad := s.distrusted()
		if len(bad) == 0 {
			return nil
		}
		if s.Silent {
			return fmt.Errorf(
				"%s: the certificate is not trusted here: give --directory-ca with its authority, or, if it is the right one, "+
					"--pin sha256:%x",
				bad[0].Server,
				sha256.Sum256(bad[0].Chain[0].Raw),
			)
		}
		answer, err := s.Ask(ctx, dialogue.Question{
			Text: "Compare the SHA-256 with the server's own. Believe these certificates as they are (\"yes\"), or those of " +
				"an authority (path of its file)",
		})
		switch {
		case err != nil:
			return err
		case answer == "no":
			return dialogue.ErrBack
		case answer == "yes":
			s.draft.DirectoryCA, s.draft.Pins = "", s.shownPins()
		default:
			s.draft.DirectoryCA, s.draft.Pins = fromHere(answer), nil
		}
		if err := s.look(ctx); err != nil {
			if s.draft.DirectoryCA = ""; ctx.Err() != nil {
				return err
			}
			fmt.Fprintf(s.Out, "%v\n", err)
		}
		if err := s.showCertificates(s.distrusted()); err != nil {
			return err
		}
	}
}

// shownPins are those of every certificate that was shown: with one pin, all
// servers need one.
func (s *setup) shownPins() (pins []string) {
	for _, p := range s.presented {
		if len(p.Chain) == 0 {
			continue
		}
		if pin := fmt.Sprintf("sha256:%x", sha256.Sum256(p.Chain[0].Raw)); !slices.Contains(pins, pin) {
			pins = append(pins, pin)
		}
	}
	return pins
}

// askBase asks where in the directory everything is; the server says what it holds.
func (s *setup) askBase(ctx context.Context) error {
	if s.keep != nil {
		return nil
	}
	fallback := s.draft.BaseDN
	if people, err := s.people(); err == nil && fallback == "" {
		defer people.Close()
		_, _ = people.Look(ctx) // finds the servers of a domain
		if contexts, err := people.NamingContexts(ctx); err == nil && len(contexts) > 0 {
			fallback = contexts[0]
			if len(contexts) > 1 {
				fmt.Fprintf(s.Out, "The directory holds %s.\n", strings.Join(contexts, "; "))
			}
		}
	}
	for {
		answer, err := s.Ask(ctx, dialogue.Question{
			Flag:    "base-dn",
			Text:    "Where your users and groups are (base DN)",
			Default: fallback,
		})
		if err != nil {
			return err
		}
		s.draft.BaseDN = answer
		if _, err = s.parsed(); err == nil {
			return nil
		}
		if err := s.again(err); err != nil {
			return err
		}
	}
}

// askAccount asks for the service account until it can read the base.
func (s *setup) askAccount(ctx context.Context) error {
	if s.keep != nil {
		return nil
	}
	for {
		dn, err := s.Ask(ctx, dialogue.Question{
			Flag:    "bind-dn",
			Text:    "DN of the service account, which may read users and groups; Return for anonymous",
			Default: s.draft.BindDN,
			Empty:   true,
		})
		if err != nil {
			return err
		}
		s.draft.BindDN = dn
		if dn != "" && s.flags.passwordFile == "" {
			password, err := s.Ask(ctx, dialogue.Question{
				Flag:   "bind-password-file",
				Text:   "Its password (not shown)",
				Secret: true,
			})
			if err != nil {
				return err
			}
			s.draft.Password = configs.Secret(password)
		}
		if err = s.tryAccount(ctx); err == nil {
			return nil
		}
		s.flags.passwordFile = "" // the next one is typed
		if err := s.again(err); err != nil {
			return err
		}
	}
}

// tryAccount binds with the service account, once at each server.
func (s *setup) tryAccount(ctx context.Context) error {
	people, err := s.people()
	if err != nil {
		return err
	}
	defer people.Close()
	rows := people.Check(ctx)
	if err := errors.Join(printRows(s.Out, rows), ctx.Err()); err != nil {
		return err
	}
	if !slices.ContainsFunc(rows, func(c directory.Check) bool { return c.Name == "base" && c.State == directory.OK }) {
		return errors.New("the service account cannot read the base: see above")
	}
	return nil
}
