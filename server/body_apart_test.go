package server

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/pipeline"
)

// A request's body may be read by somebody else than the poll of the response: by the
// other end of a proxied connection, in a turn of that. What belongs to the connection's turn
// happens all the same.

// apart is a connection whose request is answered when the test wants it, and whose body
// the test reads, outside of the connection's turns.
type apart struct {
	*session
	body   pipeline.Source[[]byte]
	answer *pipeline.Queue[Response]
	woken  int
}

func newApart(t *testing.T, o Options) *apart {
	t.Helper()
	a := &apart{}
	a.session = newSession(t, func(r *Request) Response {
		a.body, a.answer = r.Body, pipeline.NewQueue[Response](r.Loop(), 1, pipeline.Refuse)
		return Later(a.answer)
	}, o)
	return a
}

func (a *apart) Wake() { a.woken++ }

// read reads what there is of the body, for as long as it wakes the reader at once.
func (a *apart) read() (got string, err error) {
	a.t.Helper()
	for woken := -1; woken < a.woken; {
		woken = a.woken
		for {
			chunk, err := a.body.Poll(a)
			if err == pipeline.ErrPending {
				break
			}
			if err != nil {
				a.loop.Settle()
				return got, err
			}
			got += string(chunk)
		}
		a.loop.Settle()
	}
	return got, pipeline.ErrPending
}

func (a *apart) wantRead(why, want string, end error) {
	a.t.Helper()
	if got, err := a.read(); got != want || !errors.Is(err, end) {
		a.t.Fatalf("%s: %.40q and then %v should be read of the body; there is %.40q, and then %v", why, want, end, got, err)
	}
}

const postHead = "POST / HTTP/1.1\r\nHost: test\r\n"

func TestBodyReadApartIsContinued(t *testing.T) {
	a := newApart(t, Options{})
	a.send(postHead + "Expect: 100-continue\r\nContent-Length: 4\r\n\r\n")
	if got := a.receive(); got != "" {
		t.Errorf("nobody has asked for the body, and the client got %q", got)
	}
	a.wantRead("nothing has come", "", pipeline.ErrPending)
	if got := a.receive(); got != "HTTP/1.1 100 Continue\r\n\r\n" {
		t.Errorf("the body was asked for, and the client got %q", got)
	}
	a.send("body")
	a.wantRead("the body has come", "body", io.EOF)
	if err := a.answer.Push(Text(200, "thanks")); err != nil {
		t.Fatal(err)
	}
	a.loop.Settle()
	a.wantAnswers("the answer", "200")
}

func TestBodyReadApartIsReadInShares(t *testing.T) {
	a := newApart(t, Options{BodyLimit: -1})
	a.send(postHead + "Content-Length: 1000000\r\n\r\n")
	got := ""
	for rest := strings.Repeat("x", 1_000_000); rest != ""; {
		a.send(rest[:100_000])
		rest = rest[100_000:]
		more, err := a.read()
		if got += more; err != pipeline.ErrPending && err != io.EOF {
			t.Fatalf("the body should be read on, and gave %v", err)
		}
	}
	if len(got) != 1_000_000 {
		t.Errorf("a body of 1000000 bytes should be read, and %d were", len(got))
	}
}

// The time for the body runs while it is asked for, and only then.
func TestBodyReadApartHasItsTime(t *testing.T) {
	a := newApart(t, Options{BodyTimeout: 10 * time.Second})
	a.send(postHead + "Content-Length: 100000\r\n\r\n")
	a.loop.Advance(time.Hour)
	a.wantRead("nobody has asked for the body for an hour, and that is no fault of the client", "", pipeline.ErrPending)
	a.loop.Advance(9 * time.Second)
	a.send("x")
	got, err := a.body.Poll(a)
	if string(got) != "x" || err != nil {
		t.Fatalf("a byte of the body should be read, and there are %q, %v", got, err)
	}
	a.loop.Settle()
	a.loop.Advance(time.Hour)
	a.wantRead("while that byte is being sent on no time runs", "", pipeline.ErrPending)
	for range 9 { // less than BodyRate says
		a.loop.Advance(time.Second)
		a.send("y")
		a.wantRead("a slow body", "y", pipeline.ErrPending)
	}
	a.loop.Advance(2 * time.Second)
	if _, err := a.read(); err != errBodyTimeout {
		t.Errorf("a body that is asked for and comes too slowly should end with the timeout, and gave %v", err)
	}
}

// How a body ends that does not come to its end can be told from io.EOF.
func TestBodyOfAClientThatHasGone(t *testing.T) {
	begun := func() *apart {
		a := newApart(t, Options{})
		a.send(postHead + "Content-Length: 10\r\n\r\nbody")
		a.wantRead("the beginning", "body", pipeline.ErrPending)
		return a
	}
	a := begun()
	a.conn.close(ReasonConnectionLost)
	a.wantRead("the client is lost", "", ErrClientGone)

	a = begun()
	a.finish()
	if a.wantRead("the client has ended its side too early", "", ErrClientGone); !strings.Contains(a.bodyError().Error(), "before it is complete") {
		t.Errorf("the error should say what was wrong, and says %v", a.bodyError())
	}
	a.answer.Finish(a.bodyError())
	a.loop.Settle()
	a.wantAnswers("a body that was cut", "400")

	var end error
	d := newDriver(t, 1, func(*driver) Handler {
		return func(r *Request) Response {
			return Stream(200, "", pipeline.Inspect(r.Body, func(_ []byte, err error) { end = err }))
		}
	}, Options{})
	d.whole, d.input, d.breaks = true, []byte(postHead+"Content-Length: 10\r\n\r\nbody"), errors.New("reset by the test")
	d.run()
	if !errors.Is(end, ErrClientGone) || !errors.Is(end, d.breaks) {
		t.Errorf("a body whose connection cannot be read should end with why, and ErrClientGone; it ended with %v", end)
	}
}

// bodyError is what the body has ended with.
func (a *apart) bodyError() error {
	_, err := a.body.Poll(a)
	return err
}

// A body that nobody has read when its exchange ends has not lost its client.
func TestBodyBehindItsAnswer(t *testing.T) {
	a := newApart(t, Options{})
	a.send(postHead + "Content-Length: 10\r\n\r\nbody")
	body := a.body
	if err := a.answer.Push(Text(401, "no")); err != nil {
		t.Fatal(err)
	}
	a.loop.Settle()
	a.wantAnswers("an early answer", "401")
	if _, err := body.Poll(a); err != ErrExchangeEnded {
		t.Errorf("a body that is polled behind its exchange should say so, and gave %v", err)
	}
}
