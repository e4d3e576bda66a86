//go:build !race

package hub_test

const agentsAtOnce = 1000

// mostStack is of a link that is idle, in bytes.
const mostStack = 10 << 10
