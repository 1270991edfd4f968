package server_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// streams counts the bodies that workers make; guarded by the subject's lock.
type streams struct {
	s            *subject
	made, closed int
}

// counted is a body that must be closed once.
type counted struct {
	pipeline.Source[[]byte]
	l *streams
}

func (l *streams) make() pipeline.Source[[]byte] {
	l.s.note(func() { l.made++ })
	return counted{once("an ", "answer"), l}
}

func (c counted) Close() {
	c.l.s.note(func() { c.l.closed++ })
	c.Source.Close()
}

// answerByWork answers in each of the ways that work may answer in.
func (l *streams) answerByWork(r *server.Request) server.Response {
	switch r.Path() {
	case "/go":
		return server.Go(r, func(context.Context) server.Response {
			hash(100)
			return server.Stream(200, "", l.make())
		})
	case "/body":
		return server.GoBody(r, func(_ context.Context, body io.Reader) server.Response {
			if _, err := io.Copy(io.Discard, body); err != nil {
				return server.Empty(400)
			}
			return server.Stream(200, "", l.make())
		})
	case "/stream":
		return server.GoStream(r, 200, "", func(_ context.Context, body io.Reader, w *pipeline.Writer) error {
			_, _ = io.Copy(w, body)
			_, _ = w.Write(make([]byte, 100<<10))
			return nil
		})
	}
	return server.Script(r, func(co *pipeline.Co) server.Response {
		body := pipeline.Collect(r.Body, 1<<20)
		defer body.Close()
		if _, err := pipeline.Await(co, body); err != nil {
			return server.Stream(400, "", l.make())
		}
		return server.Stream(200, "", l.make())
	})
}

// Row 42: clients leave at any time while workers and scripts read, work and write. Each response that one has made is sent or
// closed, once.
func TestHostile42WorkersAgainstClientsThatLeave(t *testing.T) {
	t.Parallel()
	s := newSubject()
	l := &streams{s: s}
	s.start(t, server.Options{Loops: 2, Workers: 8, WorkQueue: 1000}, l.answerByWork)
	const clients, requests = 6, 60
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	var wait sync.WaitGroup
	for i := range clients {
		wait.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(i)))
			for range requests {
				s.askAndMayLeave(t, random)
			}
		})
	}
	wait.Wait()
	s.await(t, "each response is sent or closed, once", func() bool {
		return l.made == l.closed && s.opened-len(s.closed) <= 1
	}, func() string { return fmt.Sprintf("%d were made and %d closed; %s", l.made, l.closed, s.state()) })
	if l.made == 0 {
		t.Error("no response was made at all")
	}
}

// askAndMayLeave sends a request, or part of it, and reads the answer, or part of it, or leaves.
func (s *subject) askAndMayLeave(t testing.TB, random *rand.Rand) {
	p := newPeer(t, s.dialRaw(t))
	defer p.close()
	target := []string{"/go", "/body", "/stream", "/script"}[random.IntN(4)]
	body := string(make([]byte, random.IntN(50_000)))
	request := post(target, fmt.Sprint("Content-Length: ", len(body)), body)
	switch random.IntN(4) {
	case 0: // in the middle of the request
		p.send(request[:random.IntN(len(request))])
		p.reset()
	case 1: // in the middle of the answer
		go p.send(request)
		_, _ = p.reader.Peek(1 + random.IntN(50)) // every answer has more
		p.reset()
	default:
		go p.send(request)
		if a, err := p.tryAnswer("POST"); err != nil || a.status != 200 || a.cut {
			t.Errorf("a client that stays gets its answer to %s, not %d and %v", target, a.status, err)
		}
	}
}
