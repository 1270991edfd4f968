package server

import (
	"io"
	"testing"
	"time"

	"github.com/penstock-go/penstock/loop/looptest"
	"github.com/penstock-go/penstock/pipeline"
)

// halfCloseWatcher counts how often it is told.
type halfCloseWatcher struct{ told int }

func (w *halfCloseWatcher) clientHalfClosed() { w.told++ }

// watched is a handler whose exchange is watched, and which answers when a second has passed. Of
// the request's body it reads the bytes that are declared, and not its end, or if it has no
// length, all of it.
func watched(w *halfCloseWatcher) Handler {
	return func(r *Request) Response {
		r.live().watcher = w
		left := r.Length()
		return Later(pipeline.Coroutine(func(co *pipeline.Co) (Response, error) {
			for left != 0 {
				chunk, err := pipeline.Await(co, r.Body)
				if err == io.EOF {
					break
				}
				if err != nil {
					return Fail(err), nil
				}
				if left > 0 {
					left -= int64(len(chunk))
				}
			}
			after := r.After(time.Second)
			defer after.Close()
			if _, err := pipeline.Await(co, after); err != nil {
				return Fail(err), nil
			}
			return Text(200, "late\n"), nil
		}))
	}
}

func TestHalfCloseIsNoticedBehindTheRequest(t *testing.T) {
	const post = "POST / HTTP/1.1\r\nHost: test\r\n"
	for _, c := range []struct {
		name    string
		first   string // is sent
		second  string // is sent while the handler runs, and then the end
		told    int
		answers []string
	}{
		{"a request without a body", getRequest, "", 1, []string{"200"}},
		{"the body has a length", post + "Content-Length: 5\r\n\r\nwater", "", 1, []string{"200"}},
		{"the body is chunked", post + "Transfer-Encoding: chunked\r\n\r\n5\r\nwater\r\n0\r\n\r\n", "", 1, []string{"200"}},
		{"the rest of the body comes before the end", post + "Content-Length: 5\r\n\r\nwat", "er", 1, []string{"200"}},
		// The second request is answered too, and then the end is what lies behind it.
		{"another request came with the first", getRequest + getRequest, "", 1, []string{"200", "200"}},
		{"another request comes before the end", getRequest, getRequest, 1, []string{"200", "200"}},
		{"another request comes behind a body with a length", post + "Content-Length: 5\r\n\r\nwater", getRequest, 1, []string{"200", "200"}},
		{"the body is cut", post + "Content-Length: 5\r\n\r\nwat", "", 0, []string{"400"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := &halfCloseWatcher{}
			s := newSession(t, watched(w), Options{})
			s.send(c.first)
			if w.told != 0 {
				t.Fatal("the watcher was told of an end that has not come")
			}
			s.send(c.second)
			s.finish()
			// Behind another request, the end is none that the first could know of.
			if early := 2 - len(c.answers); w.told != min(early, c.told) {
				t.Errorf("while the first request is answered the watcher was told %d times, %d was expected", w.told, min(early, c.told))
			}
			s.loop.Advance(2 * time.Second)
			s.loop.Advance(2 * time.Second)
			if w.told != c.told {
				t.Errorf("the watcher was told %d times in the end, %d was expected", w.told, c.told)
			}
			s.wantAnswers("a client that has closed its side", c.answers...)
		})
	}
}

// The end that comes together with the request is noticed as well.
func TestHalfCloseIsNoticedWhenItCameWithTheRequest(t *testing.T) {
	w := &halfCloseWatcher{}
	s := newSession(t, watched(w), Options{})
	looptest.Send(t, s.peer, getRequest)
	s.finish()
	s.loop.Advance(2 * time.Second)
	if w.told != 1 {
		t.Errorf("the watcher was told %d times of the end behind its request; it should be once", w.told)
	}
	s.wantAnswers("a client that has closed its side", "200")
}
