package servertest

import (
	"testing"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// Answer runs h on one request, through the whole protocol but without a socket, and
// returns the answer when it is complete or the server would close the connection. The body
// of a streamed answer is collected, so a stream that does not end fails the test, and so
// does a handler that waits for time to go by: for these there is [New]. What a handler
// waits for on other goroutines is awaited.
//
// The client stays until the answer is there. Then it leaves, and it is checked that
// nothing is left open. h may be called more than once if request has more than one
// request in it; the first answer is returned.
func Answer(t testing.TB, h server.Handler, request Request) *Result {
	t.Helper()
	return New(t, h, server.Options{}).answer(request)
}

// answer is Answer on a server that is used for nothing else.
func (s *Server) answer(request Request) *Result {
	s.t.Helper()
	output := s.server.Protocol(s.loop.Loop)(&input{data: []byte(request)})
	reader := newResultReader(request.method())
	client := &puller{woken: true}
	answered := s.await(func() bool {
		s.on(func() { client.pull(output, reader) })
		return reader.ended()
	}, s.patience)
	waiting := s.waiting()
	s.on(output.Close)
	switch {
	case !answered:
		s.t.Fatalf("the answer to %.60q has not come within %v; so far: %+v; %s", request, s.patience, *reader.result(), waiting)
	case reader.read.Status == 0:
		s.t.Fatalf("%.60q was not answered: %v", request, reader.err)
	}
	s.end()
	return reader.result()
}

// puller polls a protocol when it was woken.
type puller struct{ woken bool }

func (p *puller) Wake() { p.woken = true }

// pull reads all that there is by now.
func (p *puller) pull(output pipeline.Source[[]byte], reader *resultReader) {
	for p.woken && !reader.ended() {
		p.woken = false
		for !reader.ended() {
			chunk, err := output.Poll(p)
			if err == pipeline.ErrPending {
				break
			}
			if err != nil {
				reader.feedEOF()
				return
			}
			reader.feed(string(chunk))
		}
	}
}

// input is what the client sends: some bytes, and then it waits.
type input struct{ data []byte }

func (i *input) Poll(pipeline.Waker) ([]byte, error) {
	if len(i.data) == 0 {
		return nil, pipeline.ErrPending
	}
	data := i.data
	i.data = nil
	return data, nil
}

func (i *input) Close() { i.data = nil }
