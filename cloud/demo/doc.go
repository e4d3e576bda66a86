// Package demo owns "make demo": a directory, the cloud, an agent, an identity provider and an
// application in one process, and a story that is told while it happens. It needs nothing but Go.
//
// Called by the main package in ldap-demo. It uses the two programs as people
// do, by their command lines and the API; it reaches into neither. It listens on
// loopback addresses only and leaves nothing behind but what is running.
package demo
