package servertest

// HurryUp has the server wait for nothing that is not there, as long as the test is to fail.
func (s *Server) HurryUp() { s.patience, s.grace = 0, 0 }

// Answer is the function Answer on a server that the test has made.
func (s *Server) Answer(request Request) *Result { return s.answer(request) }
