//go:build race

package hub_test

// agentsAtOnce are as many as the race detector has the memory and the time for.
const agentsAtOnce = 100
