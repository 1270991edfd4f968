package client

import (
	"testing"
	"time"
)

const tick = 2 * time.Millisecond // more than the wheel rounds by

// stalls advances up to a deadline, sees that it is one and that it ends the call with want.
func (x *exchange) stalls(after time.Duration, want error) {
	x.t().Helper()
	x.loop.Advance(after - tick)
	if c := x.call.(*call); c.state == callOver {
		x.t().Errorf("The call ended with %v before %v had gone by.", c.err, after)
	}
	woken, poisedToRead := x.waker.times, x.call.(*call).waker != nil
	x.loop.Advance(2 * tick)
	if x.closes != 1 {
		x.t().Errorf("The time of the call is over, and its connection was closed %d times.", x.closes)
	}
	if poisedToRead && x.waker.times == woken {
		x.t().Error("The time of the call is over, and who waits for it was not woken.")
	}
	status := 0
	if x.response != nil {
		status = 200
	}
	x.poll()
	x.wants(status, x.got, want)
	x.finish()
}

const okHead = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"

func TestHeadDeadline(t *testing.T) {
	x := newFixture(t, Options{}).do(&Request{})
	x.stalls(time.Minute, ErrHeadTimeout)

	// It is absolute: neither parts of a head nor informational ones put it off.
	x = newFixture(t, Options{}).do(&Request{})
	x.loop.Advance(30 * time.Second)
	x.says("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 20")
	x.stalls(30*time.Second, ErrHeadTimeout)
}

// TestHeadDeadlineBeginsBehindTheRequest: while it is being sent, the upstream owes no answer.
func TestHeadDeadlineBeginsBehindTheRequest(t *testing.T) {
	body := allOf(t, "ab")
	body.ready = 0
	x := newFixture(t, Options{}).do(&Request{Method: "POST", Body: body, Length: 2})
	x.loop.Advance(time.Hour)
	body.more(2)
	x.loop.Settle()
	x.stalls(time.Minute, ErrHeadTimeout)
}

func TestBodyDeadline(t *testing.T) {
	x := newFixture(t, Options{}).do(&Request{})
	x.loop.Advance(50 * time.Second)
	x.says(okHead + "a")
	x.loop.Advance(50 * time.Second)
	x.says("b") // progress
	x.stalls(time.Minute, ErrBodyTimeout)
}

// TestBodyDeadlineOnlyWhileWanted: a consumer that does not poll is not the upstream's fault, whether
// it has never asked or something has come that it does not fetch.
func TestBodyDeadlineOnlyWhileWanted(t *testing.T) {
	x := newFixture(t, Options{}).do(&Request{})
	x.arrives(okHead + "a")
	r, err := x.call.Poll(&x.waker)
	if err != nil {
		t.Fatal(err)
	}
	x.response = r
	x.loop.Advance(time.Hour)
	x.poll()
	x.wants(200, "a", nil)
	x.loop.Advance(30 * time.Second)
	x.arrives("b")
	x.loop.Advance(time.Hour)
	x.poll()
	x.wants(200, "ab", nil)
	x.stalls(time.Minute, ErrBodyTimeout)
}

// TestSendingDeadline: the upstream takes nothing of the request, with and without an answer.
func TestSendingDeadline(t *testing.T) {
	for _, answered := range []bool{false, true} {
		f := newFixture(t, Options{})
		f.prepare = func(s *script) { s.room = 10 }
		x := f.do(&Request{Method: "POST", Body: allOf(t, "ab"), Length: 2})
		x.loop.Advance(50 * time.Second)
		x.drains(10) // progress
		x.loop.Settle()
		if answered {
			x.arrives(okHead)
			x.response, _ = x.call.Poll(&x.waker)
		}
		x.stalls(time.Minute, ErrBodyTimeout)
	}
}

// TestTotalDeadline: it covers the body, also while nobody polls, and leaves what was handed out as it is.
func TestTotalDeadline(t *testing.T) {
	f := newFixture(t, Options{Timeouts: Timeouts{Total: time.Minute}})
	x := f.do(&Request{})
	x.loop.Advance(20 * time.Second)
	x.arrives(okHead + "some content")
	r, err := x.call.Poll(&x.waker)
	if err != nil {
		t.Fatal(err)
	}
	x.response = r
	chunk, _ := r.Body.Poll(&x.waker)
	x.loop.Advance(40*time.Second + tick)
	f.spoilBuffers()
	if string(chunk) != "some content" {
		t.Errorf("The time was over while a chunk was looked at, which is %q now.", chunk)
	}
	if x.closes != 1 {
		t.Errorf("The time was over, and the connection was closed %d times.", x.closes)
	}
	x.poll()
	x.wants(200, "", ErrTotalTimeout)
	x.finish()
}

// TestTimesOfARequest take the place of the client's.
func TestTimesOfARequest(t *testing.T) {
	x := newFixture(t, Options{Timeouts: Timeouts{Head: time.Hour}}).do(&Request{Timeouts: &Timeouts{Head: time.Second}})
	x.stalls(time.Second, ErrHeadTimeout)
}
