package command

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"ldap-gateway/agent/command/dialogue"
	"ldap-gateway/agent/state"
)

// cloudURL is the cloud's, of the file that stays or of the draft.
func (s *setup) cloudURL() string {
	if s.keep != nil {
		return s.keep.Cloud.URL.String()
	}
	return s.draft.CloudURL
}

// askPairing asks how this machine is to be paired, unless it is.
func (s *setup) askPairing(ctx context.Context) error {
	switch i, err := s.folder.Instance(); {
	case err == nil && i.Cloud == s.cloudURL():
		fmt.Fprintf(s.Out, "This machine is paired with gateway %q already; that stays.\n", i.GatewayName)
		s.pairing = pairedAlready
		return nil
	case err == nil:
		return fmt.Errorf(
			"this machine is paired with %s: \"ldap-gateway pair --replace\" makes it an instance of another cloud, once "+
				"gateway.hcl names that",
			i.Cloud,
		)
	case !errors.Is(err, state.ErrNotPaired):
		return err
	}
	switch {
	case s.flags.showCode:
		s.pairing = pairByShowing
	case s.flags.pairLater:
		s.pairing = pairLater
	case s.flags.codeFile != "":
		s.pairing = pairByCode
	case s.Silent:
		return errors.New("say how to pair: --code-file, --show-code or --pair-later")
	default:
		return s.askCode(ctx, "")
	}
	return nil
}

// askCode asks for a code, or for what to do instead.
func (s *setup) askCode(ctx context.Context, fallback string) (err error) {
	s.code, err = s.Ask(ctx, dialogue.Question{
		Default: fallback,
		Text: "Pairing code from the console (Gateways, the gateway, Pair an instance); or \"show\" for a code that is " +
			"approved there; or \"later\"",
	})
	switch s.pairing = pairByCode; strings.ToLower(s.code) {
	case "show":
		s.pairing = pairByShowing
	case "later":
		s.pairing = pairLater
	}
	return err
}
