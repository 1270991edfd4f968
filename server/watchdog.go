package server

import "github.com/penstock-go/penstock/loop"

// watch starts the watchdog over the server's loops and returns what stops it.
func (s *Server) watch() (stop func()) {
	if s.options.WatchdogThreshold < 0 {
		return func() {}
	}
	return loop.Watch(s.options.WatchdogThreshold, s.options.Logger, s.group.Loops()...).Stop
}

// blame names the request whose handler has held the loop. While it does, nobody can know:
// only the loop may look at the request.
func (c *core) blame() {
	r := c.exchange.request
	c.local.loop.Blame("method", r.Method(), "target", r.Target())
}
