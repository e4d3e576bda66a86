//go:build unix

//go:debug x509negativeserial=1

// Command ldap-gateway is the agent as people run it, with profiles.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"ldap-gateway/agent/command"
	"ldap-gateway/cloud/e2e/profiled"
)

func main() {
	profiled.Watch("ldap-gateway")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := command.Main(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
