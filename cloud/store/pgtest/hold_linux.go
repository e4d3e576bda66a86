package pgtest

import (
	"os/exec"
	"strconv"
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
