package layer

import (
	"errors"
	"io"
	"runtime/debug"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// Recover has answer say what is answered when the handler panics, when the source of its
// [server.Later] does, or when work of it on a pool does (a [pipeline.PanicError]). answer gets what panic was
// called with and the stack. It runs on the loop, and logs what is to be logged: the server
// logs only the panics that nobody recovers, and answers them with 500.
//
// A panic in the body of a stream is the server's: the answer has begun by then, and is cut.
func Recover(answer func(r *server.Request, value any, stack []byte) server.Response) server.Layer {
	return func(next server.Handler) server.Handler {
		return func(r *server.Request) (response server.Response) {
			defer func() {
				if value := recover(); value != nil {
					response = answer(r, value, debug.Stack())
				}
			}()
			recovering := func(src pipeline.Source[server.Response]) pipeline.Source[server.Response] {
				return &recovered{request: r, answer: answer, source: src}
			}
			return next(r).MapLater(recovering).Map(func(response server.Response) server.Response {
				if worker := (*pipeline.PanicError)(nil); errors.As(response.Err(), &worker) {
					return answer(r, worker.Value, worker.Stack)
				}
				return response
			})
		}
	}
}

// recovered gives the response of a source, or the answer to its panic. A source that has
// panicked is not polled again. Owned by the loop goroutine.
type recovered struct {
	request *server.Request
	answer  func(r *server.Request, value any, stack []byte) server.Response
	source  pipeline.Source[server.Response] // nil once closed
	end     error
}

func (s *recovered) Poll(w pipeline.Waker) (response server.Response, err error) {
	if s.end != nil {
		return server.Response{}, s.end
	}
	defer func() {
		if value := recover(); value != nil {
			s.end = io.EOF
			response, err = s.answer(s.request, value, debug.Stack()), nil
		}
	}()
	response, err = s.source.Poll(w)
	if err != nil && err != pipeline.ErrPending {
		s.end = err
	}
	return response, err
}

func (s *recovered) Close() {
	if s.end == nil {
		s.end = pipeline.ErrClosed
	}
	if source := s.source; source != nil {
		s.source = nil
		source.Close()
	}
}
