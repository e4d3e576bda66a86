// Certificates that Samba makes by itself have negative serial numbers, and a pin
// cannot be compared with a certificate that was not even read.
//
//go:debug x509negativeserial=1

// Command ldap-gateway is the on-premises agent: it joins a directory to a cloud.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"ldap-gateway/agent/command"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := command.Main(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
