package proxy

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/client"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

func patient(tryFor, tryEvery time.Duration) Options {
	o := quiet
	o.TryFor, o.TryEvery = tryFor, tryEvery
	return o
}

// The body of a request whose upstream restarts is not lost, and not asked for before there is somebody to have it.
func TestRequestIsHeldWhileTheUpstreamRestarts(t *testing.T) {
	c := newChain(t, patient(10*time.Second, 250*time.Millisecond), client.Options{})
	path := c.stop()
	k := c.client("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
	c.Advance(3 * time.Second)
	if got := k.Receive(); got != "" {
		t.Fatalf("while the upstream is away the client should wait, and it got %q", got)
	}
	if failed := c.failures(client.ErrConnect); failed != 13 {
		t.Errorf("an attempt should be made at once and then four times a second, 13 in 3 seconds, and there were %d", failed)
	}
	c.listen(path)
	c.Advance(250 * time.Millisecond)
	u := c.accept()
	u.head()
	u.send("HTTP/1.1 100 Continue\r\n\r\n")
	k.Send("abc")
	if got := u.read(3); got != "abc" {
		t.Errorf("the upstream should get the whole body, and got %q", got)
	}
	u.send(emptyAnswer)
	if got := k.Receive(); !strings.Contains(got, "HTTP/1.1 200 OK\r\n") {
		t.Errorf("the client should get the answer, and got %q", got)
	}
	c.logged()
}

// failures counts the attempts that the target was told have failed so.
func (c *chain) failures(kind error) int {
	n := 0
	for _, o := range c.target.done {
		if e, ok := o.Err.(*client.Error); ok && e.Kind == kind {
			n++
		}
	}
	return n
}

func TestPatienceEnds(t *testing.T) {
	c := newChain(t, patient(time.Second, 300*time.Millisecond), client.Options{})
	c.stop()
	k := c.client(get)
	c.Advance(999 * time.Millisecond)
	if got := k.Receive(); got != "" {
		t.Fatalf("within TryFor the client should wait, and it got %q", got)
	}
	c.Advance(time.Millisecond)
	if got := k.Answer(); got.Status != http.StatusBadGateway {
		t.Errorf("after TryFor the client should get a 502, and got %d", got.Status)
	}
	if failed := c.failures(client.ErrConnect); failed != 5 {
		t.Errorf("attempts should be made after 0, 300, 600, 900 and 1000 milliseconds, and there were %d", failed)
	}
	c.logged("could not connect")
}

func TestClientThatLeavesIsNotHeld(t *testing.T) {
	o := patient(time.Minute, time.Second)
	o.MaxHeld = 1
	c := newChain(t, o, client.Options{})
	c.stop()
	first := c.client(get)
	if got := c.client(get).Answer(); got.Status != http.StatusBadGateway {
		t.Errorf("with MaxHeld requests held, the next should be answered at once, and got %d", got.Status)
	}
	first.Reset()
	before := len(c.target.done)
	c.Advance(2 * time.Second)
	if len(c.target.done) != before {
		t.Error("for a client that has left nothing should be tried")
	}
	second := c.client(get)
	c.Advance(2 * time.Second)
	if got := second.Receive(); got != "" {
		t.Errorf("the place of a client that has left should be free, and the next got %q", got)
	}
	second.Reset()
}

func TestNotEveryFailureIsTriedAgain(t *testing.T) {
	for _, v := range []struct{ what, request, answer string }{
		{"that is not idempotent", "POST / HTTP/1.1\r\nHost: h\r\n\r\n", ""},
		{"whose answer had begun", get, "HTTP/1.1 2"},
	} {
		c := newChain(t, patient(time.Minute, time.Second), client.Options{})
		k := c.client(v.request)
		u := c.accept()
		u.head()
		if v.answer != "" {
			u.send(v.answer)
		}
		u.close()
		if got := k.Answer(); got.Status != http.StatusBadGateway || c.picked() != 1 {
			t.Errorf("a request %s should not be tried again, and got %d after %d attempts", v.what, got.Status, c.picked())
		}
	}
}

// A server that is being stopped ends connections that it has not accepted yet. A request that it was
// sent there is sent once more, and not again: it may be what makes servers end.
func TestUnansweredRequestIsSentOnceMore(t *testing.T) {
	c := newChain(t, patient(time.Minute, time.Second), client.Options{})
	k := c.client(get)
	for attempt := 1; attempt <= 2; attempt++ {
		u := c.accept()
		u.head()
		if got := k.Receive(); got != "" || c.picked() != attempt {
			t.Fatalf("attempt %d is the %dth, and the client has got %q", attempt, c.picked(), got)
		}
		u.close()
		c.Advance(time.Second)
	}
	if got := k.Answer(); got.Status != http.StatusBadGateway || c.picked() != 2 {
		t.Errorf("after two attempts without an answer the client should get a 502, and got %d after %d", got.Status, c.picked())
	}
}

// several is a picker that tries upstreams in order.
type several []*countingTarget

func (s several) Pick(_ *server.Request, failed []*client.Upstream) (Target, error) {
	for _, target := range s {
		if !slices.Contains(failed, target.upstream) {
			target.picked++
			return target, nil
		}
	}
	s[0].picked++
	return s[0], nil
}

func TestAnotherUpstreamIsTriedAtOnce(t *testing.T) {
	for _, tryFor := range []time.Duration{0, time.Minute} {
		t.Run(fmt.Sprint(tryFor), func(t *testing.T) {
			c := newChain(t, patient(tryFor, time.Second), client.Options{})
			down := &countingTarget{upstream: upstreamAt(t, "unix:/nonexistent", client.Options{})}
			o := patient(tryFor, time.Second)
			o.Logger = c.logs.logger()
			handler := New(several{down, c.target}, o)
			c.handler = handler
			k := c.client("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc")
			u := c.accept()
			u.head()
			if got := u.read(3); got != "abc" {
				t.Errorf("the other upstream should get the body, and got %q", got)
			}
			u.send(emptyAnswer)
			if got := k.Answer(); got.Status != http.StatusOK {
				t.Errorf("the client should get the other's answer, and got %d", got.Status)
			}
			if len(down.done) != 1 || down.picked != 1 || len(c.target.done) != 1 || c.target.done[0].Err != nil {
				t.Errorf("both should be told their ends, and were told %v and %v", down.done, c.target.done)
			}
			c.logged()
		})
	}
}

func TestAllUpstreamsAreDown(t *testing.T) {
	c := newChain(t, quiet, client.Options{})
	c.stop()
	down := &countingTarget{upstream: upstreamAt(t, "unix:/nonexistent", client.Options{})}
	o := quiet
	o.Logger = c.logs.logger()
	c.handler = New(several{down, c.target}, o)
	if got := c.client(get).Answer(); got.Status != http.StatusBadGateway {
		t.Errorf("with all upstreams down the client should get a 502, and got %d", got.Status)
	}
	if len(c.target.done) != 1 || len(down.done) != 2 || down.done[1].Err != pipeline.ErrClosed {
		t.Errorf("each should be tried once, and what was picked in vain be told so; they were told %v and %v", down.done, c.target.done)
	}
}
