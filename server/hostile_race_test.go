package server_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// The rows of hostile input where two things happen at once.

// Row 40: connections come and go in all ways while their numbers are used again. Each
// answer says which connection it is for.
func TestHostile40ReusedDescriptors(t *testing.T) {
	t.Parallel()
	s := besiege(t, server.Options{Loops: 2}, answerInSomeWay)
	const clients, connections = 8, 60
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	var wait sync.WaitGroup
	for i := range clients {
		wait.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(i)))
			for n := range connections {
				if err := s.comeAndGo(t, random, fmt.Sprint("/", i, "-", n)); err != nil {
					t.Errorf("what happened to another connection must not be seen on connection %d of client %d: %v", n, i, err)
				}
			}
		})
	}
	for range 100 {
		s.wantBystanderServed(t, "while connections come and go")
	}
	wait.Wait()
	s.await(t, "all that came are gone", func() bool { return len(s.closed) == clients*connections }, s.state)
}

// answerInSomeWay answers a request for /id/number with that, in a way that depends on
// the number.
func answerInSomeWay(r *server.Request) server.Response {
	target := r.Target()
	number, _ := strconv.Atoi(r.Query("n"))
	soon := r.After(time.Duration(number%3) * time.Millisecond)
	switch number % 4 {
	case 0:
		return server.Text(200, target)
	case 1:
		return server.Later(pipeline.Map(soon, func(time.Duration) (server.Response, error) {
			return server.Text(200, target), nil
		}))
	case 2:
		return server.Stream(200, "", pipeline.Concat(once(target[:1]), then(soon, once(target[1:]))))
	}
	return server.Later(pipeline.Map(pipeline.Collect(r.Body, 100), func([]byte) (server.Response, error) {
		return server.Text(200, target), nil
	}))
}

// comeAndGo is one connection: some requests, some of the answers, and an end.
func (s *subject) comeAndGo(t testing.TB, random *rand.Rand, id string) error {
	p := newPeer(t, s.dialRaw(t))
	defer p.close()
	requests := 1 + random.IntN(4)
	answers := requests
	way := random.IntN(4)
	if way != 0 {
		answers = random.IntN(requests + 1)
	}
	var targets []string
	for range requests {
		target := id + "?n=" + strconv.Itoa(random.IntN(12))
		targets = append(targets, target)
		p.send(post(target, "Content-Length: 5", "hello"))
	}
	for _, target := range targets[:answers] {
		a, err := p.tryAnswer("POST")
		if err != nil {
			return fmt.Errorf("the answer to %s does not come: %w", target, err)
		}
		if a.body != target {
			return fmt.Errorf("the answer to %s is %q", target, a.body)
		}
	}
	switch way {
	case 1:
		p.reset()
	case 2:
		p.send("GET /unfinished HTTP/1.1\r\nHost:")
	case 3:
		p.closeWrite()
		_, _ = io.Copy(io.Discard, p.reader)
	}
	return nil
}

// ledger counts what workers make; guarded by the subject's lock.
type ledger struct {
	s                  *subject
	made, used, closed int
}

// result is what a worker makes; whoever does not use it must close it.
type result struct{ l *ledger }

func (l *ledger) make() result {
	l.s.note(func() { l.made++ })
	return result{l}
}

func (r result) use()   { r.l.s.note(func() { r.l.used++ }) }
func (r result) Close() { r.l.s.note(func() { r.l.closed++ }) }

var errOverdue = &server.Error{Code: 504, Message: "The worker took too long."}

// before is the one value of src, or errOverdue if alarm comes first.
func before[A, B any](alarm pipeline.Source[A], src pipeline.Source[B]) pipeline.Source[B] {
	return &deadline[A, B]{alarm: alarm, src: src}
}

type deadline[A, B any] struct {
	alarm pipeline.Source[A]
	src   pipeline.Source[B]
	err   error
}

func (d *deadline[A, B]) Poll(w pipeline.Waker) (B, error) {
	var zero B
	if d.err != nil {
		return zero, d.err
	}
	if _, err := d.alarm.Poll(w); err != pipeline.ErrPending {
		d.err = errOverdue
		return zero, d.err
	}
	return d.src.Poll(w)
}

func (d *deadline[A, B]) Close() {
	d.alarm.Close()
	d.src.Close()
}

// Row 42: workers finish, deadlines pass and clients leave, all at about the same time.
// Each result is used once or closed once.
func TestHostile42WorkersAgainstDeadlines(t *testing.T) {
	t.Parallel()
	pool := loop.NewPool(2, 1)
	s := newSubject()
	l := &ledger{s: s}
	s.start(t, server.Options{Loops: 2}, func(r *server.Request) server.Response {
		rounds, _ := strconv.Atoi(r.Query("rounds"))
		work := pipeline.Offload(r.Loop(), pool, func(context.Context) (result, error) {
			hash(rounds)
			return l.make(), nil
		})
		timely := before(r.After(2*time.Millisecond), work)
		return server.Later(track(s, r.Target(), pipeline.Map(timely, func(made result) (server.Response, error) {
			made.use()
			return server.Text(200, "done"), nil
		})))
	})
	const clients, requests = 4, 100
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	var statuses [600]atomic.Int64
	var wait sync.WaitGroup
	for i := range clients {
		wait.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(i)))
			for range requests {
				p := newPeer(t, s.dialRaw(t))
				p.send(get("/?rounds=" + strconv.Itoa(random.IntN(2000))))
				if random.IntN(4) > 0 {
					a, err := p.tryAnswer("GET")
					if err != nil {
						t.Errorf("each request is answered, whatever comes first: %v", err)
					}
					statuses[a.status].Add(1)
				}
				p.reset()
			}
		})
	}
	wait.Wait()
	s.wantReleasedAll(t)
	pool.Close() // waits for the workers that are left
	s.await(t, "each result is used or closed, once", func() bool { return l.made == l.used+l.closed }, func() string {
		return fmt.Sprintf("of %d made %d were used and %d closed", l.made, l.used, l.closed)
	})
	for status := range statuses {
		if n := statuses[status].Load(); n > 0 {
			t.Logf("%d answers with status %d", n, status)
			if status != 200 && status != 503 && status != 504 {
				t.Errorf("a race between a worker and a deadline is answered with 200, 503 or 504, not %d", status)
			}
		}
	}
}

// hash keeps a worker busy.
func hash(rounds int) {
	var sum [32]byte
	for range rounds {
		sum = sha256.Sum256(sum[:])
	}
}

// wantReleasedAll waits until every source that was tracked so far is closed, and every
// connection but the bystander's.
func (s *subject) wantReleasedAll(t testing.TB) {
	t.Helper()
	s.await(t, "everything is released", func() bool {
		for _, tr := range s.tracked {
			if !tr.closedOnce() {
				return false
			}
		}
		return s.opened-len(s.closed) <= 1
	}, s.state)
}

// Row 44: who goes on giving to a connection that has closed is told so.
func TestHostile44PushToClosedConnection(t *testing.T) {
	t.Parallel()
	g := newGates()
	s := newSubject()
	s.start(t, server.Options{}, func(r *server.Request) server.Response {
		return server.Stream(200, "", track[[]byte](s, r.Target(), g.wait(r))).OpenEnded()
	})
	leave := map[string]func(p *peer){"FIN": (*peer).closeWrite, "close": (*peer).close, "RST": (*peer).reset}
	released := 0
	for name, leave := range leave {
		p := s.dial(t)
		p.send(get("/x"))
		q := <-g.queues
		push(t, q, "data")
		s.wantBystanderServed(t, "while a client is given something")
		stop := make(chan int64)
		go func() { // goes on until it is told
			for n := int64(0); ; n++ {
				if err := q.Push([]byte("more")); errors.Is(err, pipeline.ErrClosed) {
					stop <- n
					return
				}
			}
		}()
		leave(p)
		t.Logf("%s: the end was told after %d pushes", name, <-stop)
		<-q.Done()
		released++
		s.wantReleased(t, "the queue of a client that left is closed", released)
		if err := q.Push(nil); !errors.Is(err, pipeline.ErrClosed) {
			t.Errorf("pushing to a client that left is refused every time, not with: %v", err)
		}
		s.wantBystanderServed(t, "after a client has left")
		p.close()
	}
}

// Row 44: the same when the server itself has gone.
func TestHostile44PushToClosedServer(t *testing.T) {
	t.Parallel()
	g := newGates()
	posters := make(chan pipeline.Poster, 1)
	s := newSubject()
	s.start(t, server.Options{}, func(r *server.Request) server.Response {
		posters <- r.Loop()
		return server.Stream(200, "", track[[]byte](s, r.Target(), g.wait(r)))
	})
	p := s.dial(t)
	p.send(get("/x"))
	q, poster := <-g.queues, <-posters
	s.wantBystanderServed(t, "before the end")
	s.cut(t)
	p.wantCut("an answer that the end of the server cut does not look whole", 200)
	if err := q.Push(nil); !errors.Is(err, pipeline.ErrClosed) {
		t.Errorf("pushing to a server that has ended is refused, not: %v", err)
	}
	if err := poster.Post(func() { t.Error("a function that was refused never runs") }); !errors.Is(err, loop.ErrStopped) {
		t.Errorf("posting to a loop that has ended is refused, not: %v", err)
	}
}
