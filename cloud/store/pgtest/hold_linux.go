package pgtest

import (
	"os/exec"
	"strconv"
	"strings"
)

// Hold stops the server and all that it has begun, without a word to who is connected, until Release.
func (s *Server) Hold() { s.signal("-STOP") }

// Release lets a server go on that was held.
func (s *Server) Release() { s.signal("-CONT") }

func (s *Server) signal(which string) {
	s.t.Helper()
	pid := strconv.Itoa(s.cmd.Process.Pid)
	if which == "-STOP" { // first, so that it begins no more
		s.must(exec.Command("kill", which, pid).Run())
	}
	s.must(exec.Command("pkill", which, "-P", pid).Run())
	s.must(exec.Command("kill", which, pid).Run())
}

// PIDs are the processes that the server is made of at the moment.
func (s *Server) PIDs() (all []int) {
	s.t.Helper()
	out, err := exec.Command("pgrep", "-P", strconv.Itoa(s.cmd.Process.Pid)).Output()
	s.must(err)
	for field := range strings.FieldsSeq(string(out)) {
		pid, err := strconv.Atoi(field)
		s.must(err)
		all = append(all, pid)
	}
	return append(all, s.cmd.Process.Pid)
}
