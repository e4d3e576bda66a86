// Command ldap-cloud is the cloud's end: sign-on, just-in-time provisioning, console and API.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"ldap-gateway/cloud/command"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := command.Main(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
