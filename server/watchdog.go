package server

import "github.com/penstock-go/penstock/loop"

// watch starts the watchdog over the server's loops and returns what stops it.
func (s *Server) watch() (stop func()) {
	if s.options.WatchdogThreshold < 0 {
		return func() {}
	}
	return loop.Watch(s.options.WatchdogThreshold, s.options.Logger, s.group.Loops()...).Stop
}

// blaming returns h with the request named in the log when h has held the loop. While it
// does, nobody can know: only the loop may look at the request.
func blaming(l *loop.Loop, h Handler) Handler {
	return func(r *Request) Response {
		before := l.Stuck()
		response := h(r)
		if l.Stuck() && !before {
			l.Blame("method", r.Method(), "target", r.Target())
		}
		return response
	}
}
