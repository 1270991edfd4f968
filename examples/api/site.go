package main

import (
	"log/slog"
	"time"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/server"
	"github.com/penstock-go/penstock/server/compress"
	"github.com/penstock-go/penstock/server/layer"
)

const (
	longestWait   = 10 * time.Second // for an answer that is not a stream
	largestItem   = 16 << 10         // bytes of a request's body
	largestImport = 1 << 30          // bytes, as sent and as decoded
)

// capacity is how much is done at once, and how much may wait; one more is answered with 503.
type capacity struct {
	reads, readsWaiting int
	writesWaiting       int // SQLite has one writer at a time
	exports             int
}

var usual = capacity{reads: 4, readsWaiting: 256, writesWaiting: 256, exports: 4}

// site answers the requests. All of it is shared by the loops and does not change.
//
// The database blocks, so each use of it is a task of a pool: no slow query holds up the
// loops, and no export the queries.
type site struct {
	store     *store
	logger    *slog.Logger
	readers   *loop.Pool
	writer    *loop.Pool
	exporters *loop.Pool
	exports   chan struct{} // has a value for each export that is open
}

func newSite(kept *store, logger *slog.Logger, c capacity) *site {
	return &site{
		store:   kept,
		logger:  logger,
		readers: loop.NewPool(c.reads, c.readsWaiting),
		writer:  loop.NewPool(1, c.writesWaiting),
		// An export has one task at a time; that which closes it may come beside its last.
		exporters: loop.NewPool(c.exports, 2*c.exports),
		exports:   make(chan struct{}, c.exports),
	}
}

// close waits for what the pools have accepted. The server has ended before.
func (s *site) close() {
	s.exporters.Close()
	s.readers.Close()
	s.writer.Close()
}

// router returns the routes. See package layer for the order of the layers.
func (s *site) router() *server.Router {
	router := server.NewRouter()
	router.Use(
		layer.AccessLog(s.logger),
		layer.RequestID(),
		problems(s.logger),
		layer.Recover(panicked(s.logger)), // inside: a panic on a worker is a failure too, and is its to tell
	)
	// An item is not compressed: it is small, and its ETag must stay strong for If-Match.
	shrunk := compress.Layer(compress.Options{})

	items := router.Group("", layer.Timeout(longestWait))
	items.Handle("GET /items", s.answerPage, shrunk, layer.ETag())
	items.Handle("POST /items", s.answerCreate, layer.BodyLimit(largestItem))
	items.Handle("GET /items/{id}", s.answerItem, layer.ETag())
	items.Handle("PUT /items/{id}", s.answerReplace, layer.BodyLimit(largestItem))
	items.Handle("DELETE /items/{id}", s.answerRemove)

	router.Handle("GET /items.ndjson", s.answerExport, shrunk)
	router.Handle("POST /items.ndjson", s.answerImport, layer.BodyLimit(largestImport), compress.RequestLayer(largestImport))
	return router
}
