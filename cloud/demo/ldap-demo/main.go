// Command ldap-demo tells the main story: a person signs on, and their direct
// groups appear in the cloud.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"ldap-gateway/cloud/demo"
)

func main() {
	once := flag.Bool("once", false, "stop at the end of the story instead of waiting for Ctrl-C")
	listen := flag.String("listen", "127.0.0.1:8080", "address of the cloud")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := demo.Run(ctx, os.Stdout, demo.Options{Listen: *listen, Once: *once})
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}
