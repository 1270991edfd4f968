package server

import (
	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/pipeline"
)

// workers returns the pool for blocking work. It is made when it is first needed.
func (s *Server) workers() *loop.Pool {
	s.poolOnce.Do(func() { s.pool = loop.NewPool(s.options.Workers, s.options.WorkQueue) })
	return s.pool
}

// releaseWorkers gives back what requests were answered on, when the loops have ended. The pool ends
// when what it runs has ended. That is not waited for: work may ignore that its context was
// cancelled.
func (s *Server) releaseWorkers() {
	for _, local := range s.locals {
		local.stacks.Close()
	}
	s.poolOnce.Do(func() {})
	if s.pool != nil {
		go s.pool.Close()
	}
}

// workers returns the pool of the server that the request came to.
func (r *Request) workers() pipeline.Executor { return r.live().core.local.server.workers() }
