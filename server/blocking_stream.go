package server

import (
	"context"
	"io"

	"github.com/penstock-go/penstock/pipeline"
)

// workBuffer is how many bytes of a GoStream wait for the client before the worker does.
const workBuffer = 32 << 10

// GoStream is a response whose body is what f writes to w, on a goroutine of the server's
// workers. It is [GoBody], with the answer as a writer too: what that says of ctx, of body, of
// the request and of the pool holds.
//
// Writing blocks while the client does not take what it was sent: so f may write any amount in
// constant memory. The head is sent with the first bytes that leave, which is when w is flushed, when
// half of its 32 KiB are full, or when f returns. Writing fails when the client has left.
//
// An error of f is answered as [Fail] answers it if nothing has left by then, and what was
// written is dropped. Otherwise it cuts the body, and the client can see that. The same goes
// for a panic.
func GoStream(r *Request, status int, contentType string, f func(ctx context.Context, body io.Reader, w *pipeline.Writer) error) Response {
	return GoStreamOn(r.workers(), r, status, contentType, f)
}

// GoStreamOn is [GoStream] on another pool than the server's; see [GoOn].
func GoStreamOn(pool pipeline.Executor, r *Request, status int, contentType string, f func(ctx context.Context, body io.Reader, w *pipeline.Writer) error) Response {
	body := pipeline.NewReader(r.Loop(), r.Body)
	w, out := pipeline.NewWriter(r.Loop(), workBuffer)
	return Later(&streamedWork{
		status: status, contentType: contentType, writer: w, out: out,
		work: newWork(pool, r, body, func(ctx context.Context) Response {
			w.CloseWithError(f(ctx, body, w))
			return Response{}
		}),
	})
}

// streamedWork is the source of the response, and what the source of its body is made of.
// Owned by the loop goroutine, but for the writer.
type streamedWork struct {
	status      int
	contentType string
	work        *work
	writer      *pipeline.Writer
	out         pipeline.Source[[]byte]
	first       []byte // was polled before the response was there
	given       bool   // the response was, and owns what is polled
}

// Poll gives the response when the first bytes of its body are there, or its end.
func (s *streamedWork) Poll(w pipeline.Waker) (Response, error) {
	if s.given {
		return Response{}, io.EOF
	}
	first, err := s.pollBody(w)
	if err != nil && err != io.EOF {
		return Response{}, err
	}
	s.first, s.given = first, true
	return Stream(s.status, s.contentType, (*streamedBody)(s)), nil
}

// Close does nothing once the response was given.
func (s *streamedWork) Close() {
	if !s.given {
		(*streamedBody)(s).Close()
	}
}

// pollBody polls for what was written. What the worker has ended with is in the writer already, if it has
// closed that itself: if it was refused, or has panicked, it has not.
func (s *streamedWork) pollBody(w pipeline.Waker) ([]byte, error) {
	if _, err := s.work.Poll(w); err != nil && err != pipeline.ErrPending && err != io.EOF {
		s.writer.CloseWithError(err)
	}
	return s.out.Poll(w)
}

// streamedBody is the body of a streamedWork.
type streamedBody streamedWork

func (b *streamedBody) Poll(w pipeline.Waker) ([]byte, error) {
	if first := b.first; first != nil {
		b.first = nil
		return first, nil
	}
	return (*streamedWork)(b).pollBody(w)
}

func (b *streamedBody) Close() {
	b.first = nil
	b.work.Close()
	b.out.Close()
}
