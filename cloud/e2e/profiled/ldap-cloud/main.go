//go:build unix

// Command ldap-cloud is the cloud's end as people run it, with profiles.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"ldap-gateway/cloud/command"
	"ldap-gateway/cloud/e2e/profiled"
)

func main() {
	profiled.Watch("ldap-cloud")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := command.Main(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
