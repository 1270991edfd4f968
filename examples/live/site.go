package main

import (
	"context"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/penstock-go/penstock/examples/internal/page"
	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

const (
	longestMessage = 4 << 10     // bytes
	reconnectAfter = time.Second // what the streams tell the browser
	writesWaiting  = 1024        // messages that may wait to be written; one more is answered 503
)

// site answers the requests. All of it is shared by the loops and does not change.
type site struct {
	pages   map[string]server.Response
	board   *board
	publish pipeline.Publisher[server.Event] // the board: what is published to need not be known
	figures *figures
	writer  *loop.Pool // of one worker: the messages are written one after another; nil without a file
}

func newSite(b *board, f *figures) *site {
	s := &site{pages: page.Answers(pageFiles, policy), board: b, publish: b, figures: f}
	if b.journal != nil {
		s.writer = loop.NewPool(1, writesWaiting)
	}
	return s
}

// close returns when all that was accepted is written.
func (s *site) close() {
	if s.writer != nil {
		s.writer.Close()
	}
}

func (s *site) answer(r *server.Request) server.Response {
	path := r.Path()
	if file, found := s.pages[path]; found {
		return only(r, func(*server.Request) server.Response { return file }, http.MethodGet, http.MethodHead)
	}
	switch path {
	case "/events":
		return only(r, s.answerEvents, http.MethodGet)
	case "/publish":
		return only(r, s.answerPublish, http.MethodPost)
	case "/figures":
		return only(r, s.answerFigures, http.MethodGet, http.MethodHead)
	}
	return server.Text(http.StatusNotFound, "There are GET /, GET /events, POST /publish and GET /figures.\n")
}

func only(r *server.Request, h server.Handler, methods ...string) server.Response {
	for _, method := range methods {
		if r.Method() == method {
			return h(r)
		}
	}
	return server.Text(http.StatusMethodNotAllowed, "The method must be "+strings.Join(methods, " or ")+".\n").
		With("Allow", strings.Join(methods, ", "))
}

// answerEvents opens a stream. Who has got nothing yet gets all messages that are kept,
// and the figures of the last minutes as one event; who names a message gets what came
// after it.
func (s *site) answerEvents(r *server.Request) server.Response {
	id := r.LastEventID()
	if id == "" {
		id = r.Query("after")
	}
	if r.Query("only") == "messages" {
		return server.Events(s.board.topic.Subscribe(r.Loop(), pipeline.After(id)))
	}
	from, first := pipeline.After(id), server.Event{Retry: reconnectAfter}
	// The figures are subscribed to before the history is taken: one that comes in between
	// is in both, and none is in neither.
	figures := s.figures.topic.Subscribe(r.Loop(), pipeline.Newest)
	if id == "" {
		from, first.Name, first.Data = pipeline.Oldest, "history", s.figures.history()
	}
	messages := s.board.topic.Subscribe(r.Loop(), from)
	return server.Events(pipeline.Merge(messages, pipeline.Concat(pipeline.Once(first), figures)))
}

// answerPublish puts the body on the board. If that writes to a file it may block, and so is
// left to the writer.
func (s *site) answerPublish(r *server.Request) server.Response {
	here := r.Loop()
	r.SetBodyLimit(longestMessage)
	return server.Later(pipeline.Map(pipeline.Collect(r.Body, longestMessage), func(body []byte) (server.Response, error) {
		text := string(body)
		switch {
		case !utf8.ValidString(text):
			return server.Text(http.StatusBadRequest, "The message must be text in UTF-8.\n"), nil
		case strings.TrimSpace(text) == "":
			return server.Text(http.StatusBadRequest, "The message is empty.\n"), nil
		}
		event, done := server.Event{Data: text}, server.Empty(http.StatusNoContent)
		if s.writer == nil {
			return done, s.publish.Publish(event)
		}
		return server.Later(pipeline.Offload(here, s.writer, func(context.Context) (server.Response, error) {
			return done, s.publish.Publish(event)
		})), nil
	}))
}

func (s *site) answerFigures(*server.Request) server.Response {
	return server.Bytes(http.StatusOK, "application/json", []byte(s.figures.current())).With("Cache-Control", "no-store")
}
