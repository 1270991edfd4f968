package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/examples/internal/program/programtest"
	"github.com/penstock-go/penstock/server"
)

// A running is the program, started by a test that has its clock: figures are measured
// when the test says so.
type running struct {
	t     *testing.T
	base  string
	stop  func()
	ticks chan time.Time
}

func run(t *testing.T, file string) *running {
	t.Helper()
	p := &running{t: t, ticks: make(chan time.Time)}
	p.base, p.stop = programtest.StartOf(t, func() (*server.Server, func() error, error) {
		return open(file, p.ticks, server.Options{Strict: true})
	})
	return p
}

// second has the program publish its figures once.
func (p *running) second() {
	for range ticksPerFigure {
		p.ticks <- time.Time{}
	}
}

// publish puts messages on the board, one after another.
func (p *running) publish(texts ...string) {
	p.t.Helper()
	for _, text := range texts {
		if resp, body := programtest.Do(p.t, "POST", p.base+"/publish", text); resp.StatusCode != 204 || body != "" {
			p.t.Fatalf("a message should be answered 204 without content, and %q was answered %d %q", text, resp.StatusCode, body)
		}
	}
}

// An event is one event of a stream, as its lines said.
type event struct{ id, name, data, retry string }

// A stream reads events.
type stream struct {
	t     *testing.T
	lines *bufio.Reader
	seen  map[string]int // how many events of each name have come
}

// patience is when a test gives up on what should have come long ago.
const patience = 20 * time.Second

// events opens a stream; lastID is sent as Last-Event-ID unless it is "".
func (p *running) events(query, lastID string) *stream {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	p.t.Cleanup(cancel)
	request, err := http.NewRequestWithContext(ctx, "GET", p.base+"/events"+query, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	if lastID != "" {
		request.Header.Set("Last-Event-ID", lastID)
	}
	resp, err := http.DefaultClient.Do(request)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { resp.Body.Close() })
	if got := resp.Header.Get("Content-Type"); resp.StatusCode != 200 || got != "text/event-stream" {
		p.t.Fatalf("a stream of events should be answered 200 with its type, and was answered %d with %q", resp.StatusCode, got)
	}
	return &stream{p.t, bufio.NewReader(resp.Body), make(map[string]int)}
}

// next returns the next event, or the error that the stream ended with.
func (s *stream) next() (event, error) {
	var e event
	var data []string
	for {
		line, err := s.lines.ReadString('\n')
		if err != nil {
			return event{}, err
		}
		line = strings.TrimSuffix(line, "\n")
		name, value, _ := strings.Cut(line, ": ")
		switch {
		case line == "":
			e.data = strings.Join(data, "\n")
			s.seen[e.name]++
			return e, nil
		case name == "id":
			e.id = value
		case name == "event":
			e.name = value
		case name == "data":
			data = append(data, value)
		case name == "retry":
			e.retry = value
		default:
			s.t.Fatalf("a stream of events should have no line %q", line)
		}
	}
}

// named returns the next event of a name, "" for a message, and passes over others.
func (s *stream) named(name string) event {
	s.t.Helper()
	for {
		e, err := s.next()
		if err != nil {
			s.t.Fatalf("the stream should go on with an event of the name %q, and ended with %v", name, err)
		}
		if e.name == name && (name != "" || e.id != "") {
			return e
		}
	}
}

// expect reads messages, which must be exactly these in this order, and returns their ids.
func (s *stream) expect(texts ...string) []string {
	s.t.Helper()
	var ids []string
	for i, text := range texts {
		e := s.named("")
		if e.data != text {
			s.t.Fatalf("message %d of the stream should be %q, and is %q with the id %s", i, text, e.data, e.id)
		}
		ids = append(ids, e.id)
	}
	return ids
}

// expectEnd reads to the end of the stream, which must be a proper one.
func (s *stream) expectEnd() {
	s.t.Helper()
	for {
		e, err := s.next()
		if err == io.EOF {
			return
		}
		if err != nil {
			s.t.Fatalf("the stream should end properly, and ended with %v", err)
		}
		if e.id != "" {
			s.t.Fatalf("the stream should end, and went on with %+v", e)
		}
	}
}
