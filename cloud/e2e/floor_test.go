package e2e

import (
	"context"
	"flag"
	"fmt"
	"os"

	"github.com/coder/websocket"
)

var floorPart = flag.String("floor", "", "which part of the floor this process is, of BenchmarkFloor; empty: none")

// runFloor has this process be one part of the floor, until it is ended.
func runFloor(part string, args []string) int {
	run := map[string]func() error{
		"cloud":   func() error { return runFloorCloud(args[0]) },
		"library": func() error { return runFloorAgent(part, args[0], args[1]) },
		"raw":     func() error { return runFloorAgent(part, args[0], args[1]) },
	}[part]
	fmt.Fprintln(os.Stderr, part, run())
	return 1
}

// floorAtOnce is how many sign-ons a floor's agent has under way, each on connections of its own.
const floorAtOnce = 64

// runFloorAgent is the least that an agent of the same parts does for a sign-on: it has the
// directory find the person and bind as it, and answers.
func runFloorAgent(kind, cloud, directory string) error {
	ws, _, err := websocket.Dial(context.Background(), "ws://"+cloud+"/link/"+kind, nil)
	if err != nil {
		return err
	}
	asked := make(chan floorSignOn, floorAtOnce)
	for range floorAtOnce {
		signOn, err := bareKinds[kind](directory, benchGroups)
		if err != nil {
			return err
		}
		go func() {
			for s := range asked {
				a := floorAnswer{ID: s.ID}
				if err := signOn(s.Username, s.Password); err != nil {
					a.Reason = err.Error()
				}
				_ = floorWrite(ws, a) // its end is seen below
			}
		}()
	}
	fmt.Println("the floor is linked")
	for {
		var s floorSignOn
		if err := floorRead(ws, &s); err != nil {
			return err
		}
		asked <- s
	}
}
