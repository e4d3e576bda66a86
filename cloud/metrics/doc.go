// Package metrics owns what the cloud tells a Prometheus server of itself, and
// the ID under which the log has each request.
//
// Called by cloud. It promises that no label has anything of a person, or anything
// that a stranger can choose: labels are names of ours, and IDs of gateways.
package metrics
