package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"ldap-gateway/agent/command/dialogue"
	"ldap-gateway/agent/health"
	"ldap-gateway/agent/state"
	"ldap-gateway/cloudlink"
	"ldap-gateway/cloudlink/wire"
	"ldap-gateway/configs"
	"ldap-gateway/installer"
)

// askService asks whether the service is to be installed and started.
func (s *setup) askService(ctx context.Context) (err error) {
	s.service = false
	if s.flags.noService {
		return nil
	}
	if why := s.noService(); why != nil {
		fmt.Fprintf(s.Out, "The service is not installed: %v.\n", why)
		return nil
	}
	s.service, err = s.Confirm(ctx, "", "Install the service, which starts with this machine, and start it now", true)
	return err
}

// noService says why the service cannot be installed from here; nil: it can.
func (s *setup) noService() error {
	if s.configPath != configs.SystemPath() || s.statePath != configs.SystemState() {
		return errors.New("it uses the usual places, and --config or --state name others")
	}
	if _, _, err := plans(false); err != nil {
		return err
	}
	return privileged()
}

// askLeave shows what would be done and asks for leave to do it.
func (s *setup) askLeave(ctx context.Context) error {
	fmt.Fprintf(s.Out, "\nThis is to be done:\n")
	if s.service {
		fmt.Fprintf(s.Out, "  install the service\n")
	}
	if s.keep == nil {
		fmt.Fprintf(
			s.Out,
			"  write %s\n    cloud      %s\n    directory  %s\n    base DN    %s\n    as         %s\n",
			s.configPath,
			s.draft.CloudURL,
			orNone(s.draft.Discover+listed(s.draft.Servers)),
			s.draft.BaseDN,
			orNone(s.draft.BindDN),
		)
		if s.draft.BindDN != "" {
			fmt.Fprintf(s.Out, "  write its password to %s\n", filepath.Join(filepath.Dir(s.configPath), configs.CredentialName))
		}
		for _, ca := range []string{s.draft.CloudCA, s.draft.DirectoryCA} {
			if ca != "" {
				fmt.Fprintf(s.Out, "  copy the authority in %s beside it\n", ca)
			}
		}
	}
	if s.pairing != pairedAlready {
		fmt.Fprintf(s.Out, "  pair this machine %s\n", s.pairing)
	}
	fmt.Fprintf(s.Out, "  check everything\n")
	if s.service {
		fmt.Fprintf(s.Out, "  start the service\n")
	}
	if s.Silent {
		return nil
	}
	yes, err := s.Confirm(ctx, "", "\nDo it", true)
	if err == nil && !yes {
		return errDeclined
	}
	return err
}

func listed(all []string) (out string) {
	for i, one := range all {
		if i > 0 {
			out += ", "
		}
		out += one
	}
	return out
}

// carryOutAnswers does what was agreed to. What fails leaves what was done before
// it, and another run goes on from there.
func (s *setup) carryOutAnswers(cmd *cobra.Command) error {
	ctx := cmd.Context()
	if s.service {
		install, _, err := plans(false)
		if err != nil {
			return err
		}
		if err := install.Apply(ctx, s.Out); err != nil {
			return err
		}
	}
	if s.keep == nil {
		if err := s.draft.Save(s.configPath); err != nil {
			return err
		}
		fmt.Fprintf(s.Out, "ok  write %s\n", s.configPath)
	}
	file, err := s.load(ctx)
	if err != nil {
		return err
	}
	if err := s.pairNow(ctx, file); err != nil {
		return err
	}
	rows, err := checkAll(ctx, file, s.folder)
	if err != nil {
		return err
	}
	fmt.Fprintln(s.Out)
	checked := printChecks(s.Out, rows)
	if s.service {
		if err := s.startService(ctx); err != nil {
			return err
		}
	}
	return checked
}

// pairNow pairs as it was answered. A code that is refused is asked for again.
func (s *setup) pairNow(ctx context.Context, file *configs.Gateway) error {
	p := pairing{
		file:   file,
		folder: s.folder,
		out:    s.Out,
		client: cloudlink.NewHTTPClient(file.Cloud.Proxy, file.Cloud.RootCAs),
	}
	for {
		var err error
		switch s.pairing {
		case pairByCode:
			err = p.run(ctx, func(ctx context.Context, r wire.PairRequest, k state.Keys) (wire.PairAnswer, error) {
				return p.give(ctx, r, k, s.code)
			})
		case pairByShowing:
			err = p.run(ctx, p.show)
		}
		var refusal *wire.Refusal
		if !errors.As(err, &refusal) || s.Silent {
			return err
		}
		fmt.Fprintf(s.Out, "%v\n", err)
		if err := s.askCode(ctx, ""); err != nil && !errors.Is(err, dialogue.ErrBack) {
			return err
		}
	}
}

// startService starts it, and waits until it says how it is.
func (s *setup) startService(ctx context.Context) error {
	if err := installer.Start().Apply(ctx, s.Out); err != nil {
		return err
	}
	for range 20 {
		status, err := health.Ask(ctx, s.folder)
		if err == nil && (status.Ready || s.pairing == pairLater) {
			fmt.Fprintln(s.Out)
			return printStatus(s.Out, status)
		}
		if !wait(ctx, time.Second) {
			return ctx.Err()
		}
	}
	status, err := health.Ask(ctx, s.folder)
	if err != nil {
		return fmt.Errorf("the service was started, and does not answer: see its log: %w", err)
	}
	return printStatus(s.Out, status)
}

// privileged says that installing needs more rights; nil: it does not.
func privileged() error {
	if os.Geteuid() == 0 || os.Geteuid() < 0 { // below zero: Windows, where the service manager says it
		return nil
	}
	return errors.New("run it as root")
}
