//go:build !race

package hub_test

const agentsAtOnce = 1000
