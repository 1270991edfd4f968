package server

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
)

var (
	schedules = flag.Int("schedules", 3000, "number of seeded schedules that the core is run under")
	firstSeed = flag.Uint64("seed", 1, "the first seed")
)

// conversation is a list of requests with the answers that they must get,
// whatever the schedule.
type conversation struct {
	input   []byte
	answers []wanted
}

type wanted struct {
	method, what string
	status       int
	body         string
	mayClose     bool // the server may end the connection with this answer
}

var errTeapot = &Error{Code: 418, Message: "I am a teapot."}

// scheduleHandler answers by path in every way that there is.
func scheduleHandler(d *driver) Handler {
	return func(r *Request) Response {
		body := stutter(d, "body of "+r.Path(), r.Body)
		length, _ := strconv.Atoi(r.Query("n"))
		switch r.Path() {
		case "/hello":
			body.Close()
			return Text(200, "Hello, World!").With("X-Test", "yes")
		case "/echo":
			return Stream(200, r.Type(), body)
		case "/declared":
			return Stream(200, r.Type(), body).Length(r.Length())
		case "/count":
			return Later(stutter(d, "later", pipeline.Map(pipeline.Collect(body, 1<<20), func(b []byte) (Response, error) {
				return Text(200, itoa(len(b))), nil
			})))
		case "/ignore":
			body.Close()
			return Text(401, "Who are you?")
		case "/text":
			body.Close()
			return Text(200, string(filler(length)))
		case "/bytes":
			body.Close()
			return Bytes(200, "application/octet-stream", filler(length))
		case "/file":
			body.Close()
			return File(200, "application/octet-stream", temporaryFile(d.t, length), 0, int64(length))
		case "/events":
			body.Close()
			return Events(stutter(d, "events", pipeline.FromSlice(someEvents(length))))
		case "/fail":
			return Later(pipeline.Map(body, func([]byte) (Response, error) { return Response{}, errTeapot }))
		case "/nothing":
			body.Close()
			return Later(stutter(d, "nothing", pipeline.Empty[Response]()))
		case "/panic":
			defer body.Close()
			panic("as the test wants it")
		case "/panic-stage":
			return Later(pipeline.Map(body, func([]byte) (Response, error) { panic("in a stage") }))
		}
		body.Close()
		return Empty(404)
	}
}

func (c *conversation) add(d *driver) {
	n := d.random.IntN(1 << d.random.IntN(17))
	body := string(filler(n))
	kinds := []wanted{
		{"GET", "/hello", 200, "Hello, World!", false},
		{"HEAD", "/hello", 200, "", false},
		{"POST", "/echo", 200, body, false},
		{"POST", "/declared", 200, body, false},
		{"POST", "/count", 200, itoa(n), false},
		{"POST", "/ignore", 401, "Who are you?", true},
		{"GET", "/text?n=" + itoa(n), 200, body, false},
		{"GET", "/bytes?n=" + itoa(n), 200, body, false},
		{"GET", "/file?n=" + itoa(8*n), 200, string(filler(8 * n)), false},
		{"GET", "/events?n=" + itoa(n%50), 200, sentEvents(n % 50), false},
		{"POST", "/events?n=7", 200, sentEvents(7), true},
		{"HEAD", "/events?n=7", 200, "", false},
		{"POST", "/fail", 418, "I am a teapot.\n", true},
		{"GET", "/nothing", 500, "Internal Server Error\n", false},
		{"GET", "/panic", 500, "Internal Server Error\n", false},
		{"POST", "/panic-stage", 500, "Internal Server Error\n", true},
		{"GET", "/%zz", 400, "The request-target's path has a broken percent-encoding.\n", false},
	}
	w := kinds[d.random.IntN(len(kinds))]
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: test\r\n", w.method, w.what)
	switch {
	case w.method != "POST":
		b.WriteString("\r\n")
	case n == 0 && (w.what == "/fail" || w.what == "/panic-stage"):
		return // without a body nothing goes wrong
	case w.what != "/declared" && d.random.IntN(2) == 0:
		b.WriteString("Transfer-Encoding: chunked\r\n\r\n")
		for rest := body; ; {
			size := min(len(rest), 1+d.random.IntN(n+1))
			if d.random.IntN(8) == 0 {
				size = min(size, 1)
			}
			if len(rest) == 0 {
				b.WriteString("0\r\n\r\n")
				break
			}
			fmt.Fprintf(&b, "%x\r\n%s\r\n", size, rest[:size])
			rest = rest[size:]
		}
	default:
		if d.random.IntN(4) == 0 && w.what != "/ignore" {
			b.WriteString("Expect: 100-continue\r\n")
		}
		fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", n, body)
	}
	c.input = append(c.input, b.String()...)
	c.answers = append(c.answers, w)
}

// check reads the output as a client does.
func (c *conversation) check(output []byte, end error) error {
	r := bufio.NewReader(bytes.NewReader(output))
	for i, w := range c.answers {
		resp, err := readFinal(r, w.method)
		if err != nil {
			return fmt.Errorf("answer %d, to %s %s, could not be read: %w", i+1, w.method, w.what, err)
		}
		got, err := io.ReadAll(resp.Body)
		if err != nil {
			return fmt.Errorf("the body of answer %d, to %s %s, could not be read: %w", i+1, w.method, w.what, err)
		}
		if resp.StatusCode != w.status || string(got) != w.body {
			return fmt.Errorf("answer %d, to %s %s, is %d with %d bytes; it should be %d with %d bytes",
				i+1, w.method, w.what, resp.StatusCode, len(got), w.status, len(w.body))
		}
		if resp.Close && w.mayClose && end == io.EOF {
			break // with this answer the server has ended the connection, and said so
		}
		if resp.Close {
			return fmt.Errorf("answer %d, to %s %s, says Connection: close without need", i+1, w.method, w.what)
		}
	}
	if r.Buffered() > 0 || len(output) > 0 && moreThanBuffered(r) {
		return errors.New("there is more output than the answers to the requests")
	}
	return nil
}

func moreThanBuffered(r *bufio.Reader) bool {
	_, err := r.Peek(1)
	return err == nil
}

// readFinal reads a response, past those with status 100.
func readFinal(r *bufio.Reader, method string) (*http.Response, error) {
	for {
		resp, err := http.ReadResponse(r, &http.Request{Method: method})
		if err != nil || resp.StatusCode != 100 {
			return resp, err
		}
	}
}

// TestCoreUnderSchedules has the core answer random conversations under random
// cuts and schedules of ErrPending. Every request must get its own answer, in
// order, and every source must be closed exactly once.
func TestCoreUnderSchedules(t *testing.T) {
	for seed := *firstSeed; seed < *firstSeed+uint64(*schedules); seed++ {
		if !runSchedule(t, seed) {
			t.Fatalf("that was seed %d; run it alone with -seed=%d -schedules=1", seed, seed)
		}
	}
}

func runSchedule(t *testing.T, seed uint64) bool {
	d := newDriver(t, seed, scheduleHandler, Options{Strict: seed%2 == 0})
	var c conversation
	for range 1 + d.random.IntN(8) {
		c.add(d)
	}
	d.input, d.ends, d.whole = c.input, d.random.IntN(2) == 0, seed%16 == 0
	d.run()
	ok := true
	if err := c.check(d.output, d.end); err != nil {
		t.Error(err)
		ok = false
	}
	if d.end == nil && len(d.input) > 0 {
		t.Errorf("the core waits and nothing will wake it, with %d bytes of input left", len(d.input))
		ok = false
	}
	if d.open != 0 {
		t.Errorf("%d sources were not closed", d.open)
		ok = false
	}
	if d.end == nil && d.core.exchange != nil {
		t.Error("the idle core keeps its exchange")
		ok = false
	}
	d.core.Close()
	return ok && !t.Failed()
}

// TestCoreClosedAnywhere closes the core at every point of a conversation. What
// was open is then closed, once, and nothing is polled any more.
func TestCoreClosedAnywhere(t *testing.T) {
	for seed := *firstSeed; seed < *firstSeed+uint64(*schedules)/3; seed++ {
		d := newDriver(t, seed, scheduleHandler, Options{})
		var c conversation
		for range 1 + d.random.IntN(4) {
			c.add(d)
		}
		d.input = c.input
		for polls := d.random.IntN(20); polls > 0 && d.end == nil; polls-- {
			s, err := d.core.Poll(d)
			if err == nil {
				d.write(s)
			} else if err != pipeline.ErrPending || !d.becomesWoken() {
				break
			}
		}
		d.core.Close()
		d.core.Close()
		if d.open != 0 || d.core.exchange != nil || d.core.out != nil || d.chunk != nil {
			t.Fatalf("seed %d: after Close %d sources are open, exchange kept: %t, output kept: %t, input kept: %t",
				seed, d.open, d.core.exchange != nil, d.core.out != nil, d.chunk != nil)
		}
		if _, err := d.core.Poll(d); err == nil || err == pipeline.ErrPending {
			t.Fatalf("seed %d: a closed core polled again gives %v; it should give its end", seed, err)
		}
	}
}

// Requests that a closed connection has left unread must not reach the next one.
func TestExchangeIsLentAgainWithoutLeftovers(t *testing.T) {
	d := newDriver(t, 1, func(*driver) Handler { return func(*Request) Response { return Text(200, "Hello, World!") } }, Options{})
	d.whole, d.input = true, []byte(strings.Repeat(getRequest, 2*turnRequests))
	if _, err := d.core.Poll(d); err != nil {
		t.Fatalf("the first requests should be answered, and gave %v", err)
	}
	left := len(d.core.exchange.parser.Rest())
	d.core.Close()
	if again := d.local.lendExchange(&d.core); left == 0 || len(again.parser.Rest()) > 0 {
		t.Errorf("of %d bytes that a connection left unread, %d are still there when its exchange is lent again", left, len(again.parser.Rest()))
	}
}
