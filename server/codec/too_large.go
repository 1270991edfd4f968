package codec

import (
	"net/http"
	"strings"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// tooLarge is the problem of content over a limit, which stays the cause.
func tooLarge(limit *pipeline.LimitError) *server.Problem {
	sentence := limit.Public()
	p := refuse(http.StatusRequestEntityTooLarge, strings.ToUpper(sentence[:1])+sentence[1:]+".")
	p.Cause = limit
	return p
}

// explained is its source, but tells of content over a limit as a problem. Owned by the loop
// goroutine.
type explained[T any] struct {
	pipeline.Source[T]
	problem *server.Problem // what the source has ended with
}

// explain is the stage from what reads a request to what tells the client why it was not read.
func explain[T any](source pipeline.Source[T]) pipeline.Source[T] {
	return &explained[T]{Source: source}
}

func (s *explained[T]) Poll(w pipeline.Waker) (T, error) {
	v, err := s.Source.Poll(w)
	if limit, found := err.(*pipeline.LimitError); found {
		if s.problem == nil {
			s.problem = tooLarge(limit)
		}
		return v, s.problem
	}
	return v, err
}
