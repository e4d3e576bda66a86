// Package e2e owns the tests that span rooms: whole sign-ons with both programs
// as processes and a real directory (slapd; for the states of accounts 389 and
// Samba too), what happens when any of them dies, and the rules of the house: who
// may import whom, and that every room says what it is.
//
// It has tests only. It uses the programs as people do, by command lines, the
// API and the console, and looks inside only to search for what must not be there.
package e2e
