// Package profiled owns what both programs have besides when somebody measures where
// their time goes: below it stand the same two programs, which write a profile when they
// are told to by a signal. The programs that people run have nothing of it.
//
// Called by the two programs below, which the benchmarks of e2e build in place of the
// others with -profiles.
package profiled
