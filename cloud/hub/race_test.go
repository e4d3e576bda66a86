//go:build race

package hub_test

// agentsAtOnce are as many as the race detector has the memory and the time for.
const agentsAtOnce = 100

// mostStack is with frames that are larger for it.
const mostStack = 20 << 10
