// Command ldap-cloud is the cloud's end: sign-on, just-in-time provisioning, console and API.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"ldap-gateway/cloud"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cloud.Main(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
