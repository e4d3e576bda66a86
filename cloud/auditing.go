package cloud

import (
	"fmt"

	"ldap-gateway/cloud/audit"
	"ldap-gateway/cloud/store"
)

// AuditTargets returns the systems outside that are told what happens, by their URLs, with
// the secret and the authority that they share, each in a file; ErrUsage says what is wrong.
func AuditTargets(urls []string, secretFile, rootsFile string) (all []*audit.Target, err error) {
	for _, url := range urls {
		t, err := audit.Parse(url, secretFile, rootsFile)
		if err != nil {
			return nil, fmt.Errorf("%w: --audit-to: %w", ErrUsage, err)
		}
		all = append(all, t)
	}
	return all, nil
}

// streams are those that tell systems outside what happens here.
func (n *node) streams() (all []*audit.Stream) {
	for _, target := range n.AuditTo {
		all = append(all, &audit.Stream{Store: n.db, Target: target, Logger: n.Logger.Named("audit")})
	}
	return all
}

// auditAlerts tells of systems outside that cannot be told what happens.
func (n *node) auditAlerts() (all []store.Alert) {
	for _, s := range n.audit {
		if err := s.Failed(); err != nil {
			all = append(all, nodeAlert("auditFailed", s.Target.URL,
				"Look whether it listens, and whether this node may reach it; all is told once it does",
				"what happens is not told to %s: %s", s.Target.URL, err))
		}
	}
	return all
}
