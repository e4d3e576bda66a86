// Command ldap-gateway is the on-premises agent: it joins a directory to a cloud.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"ldap-gateway/agent"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := agent.Main(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
