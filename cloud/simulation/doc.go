// Package simulation owns a small world that lives at random, and a model of it: the
// cloud's sign-on, provisioner and store, the agents' sign-ons with the real directory
// room, and two directory servers, all in one process. The model knows what is true in
// the directory and what ever was, and compares each record with that after each step.
//
// It has tests alone. A seed is printed with each failure; -simulation SEED repeats it.
//
//	what happens                 groups change, are renamed, deleted, hidden in part or whole; searches are
//	                             cut off, refused, reset in the middle; connections are cut; links break
//	                             before, within and after a sign-on; agents and the cloud start anew;
//	                             updates are switched; tickets come between
//	what may never happen        a membership that is true is taken away; one that never was is added; a
//	                             password is bound for twice; an acknowledged sign-on is lost; a record
//	                             does not follow although all can be seen
//
// That the model finds such a fault is tested by planting one of each.
package simulation
