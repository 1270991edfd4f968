package server

import (
	"io"
	"net/http"
	"os"
	"time"

	"github.com/penstock-go/penstock/pipeline"
)

// httpBody is the request's body as the handler reads it: no more is read from the client than
// one chunk beyond what the handler has asked for. Read is for one goroutine at a time;
// Close may be called on any.
type httpBody struct {
	reader   *pipeline.Reader
	request  *http.Request // whose Trailer gets the trailers
	trailers http.Header   // set on the loop before the reader gives io.EOF
	left     int64         // bytes that were declared and not read; negative if none were declared
	deadline *time.Timer
}

// giveBody gives the request r its body.
func (x *httpExchange) giveBody(r *Request, request *http.Request) {
	b := &httpBody{request: request, left: request.ContentLength}
	b.reader = pipeline.NewReader(x.loop, &httpBodySource{body: b, origin: r, source: r.Body})
	x.body, request.Body = b, b
}

// Read reads what has come, or waits for some. It ends with the error that [Request.Body]
// ends with, or with one that says that the exchange is over.
func (b *httpBody) Read(p []byte) (int, error) {
	n, err := b.reader.Read(p)
	if b.left > 0 {
		if b.left -= int64(n); b.left == 0 {
			return n, io.EOF // known here, so the loop need not be asked
		}
	}
	if err == io.EOF && b.trailers != nil {
		if b.request.Trailer == nil {
			b.request.Trailer = make(http.Header, len(b.trailers))
		}
		for name, values := range b.trailers {
			b.request.Trailer[name] = values
		}
		b.trailers = nil
	}
	return n, err
}

// Close has every Read return [http.ErrBodyReadAfterClose]. What was not read is settled
// when the response is finished.
func (b *httpBody) Close() error {
	b.reader.CloseWithError(http.ErrBodyReadAfterClose)
	return nil
}

// failAt has Read fail from t on; the zero time is never. It is called on the worker.
func (b *httpBody) failAt(t time.Time) {
	if b.deadline != nil {
		b.deadline.Stop()
		b.deadline = nil
	}
	if !t.IsZero() {
		b.deadline = time.AfterFunc(time.Until(t), func() { b.reader.CloseWithError(os.ErrDeadlineExceeded) })
	}
}

// httpBodySource is the body of a request, which remembers the trailers for the handler. Owned by
// the loop.
type httpBodySource struct {
	body   *httpBody
	origin *Request
	source pipeline.Source[[]byte]
}

func (s *httpBodySource) Poll(w pipeline.Waker) ([]byte, error) {
	chunk, err := s.source.Poll(w)
	if err == io.EOF {
		if fields := s.origin.Trailers(); fields.Len() > 0 {
			s.body.trailers = httpHeader(fields)
		}
	}
	return chunk, err
}

func (s *httpBodySource) Close() { s.source.Close() }
