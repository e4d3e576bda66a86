// Package version owns which version the agent is.
//
// Called by agent, agent/health and agent/command. It knows nothing else.
package version
