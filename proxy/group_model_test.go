package proxy

import (
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/penstock-go/penstock/client"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// progress is a request that a test has picked a member for.
type progress struct {
	target Target
	member int
	kind   attemptKind
	status int // that it was answered with

	superseded bool // the member has been in since
}

// schedule does to a group what random requests would, and checks each step.
type schedule struct {
	*testGroup
	seed     uint64
	random   *rand.Rand
	requests []progress
}

func (s *schedule) step() {
	switch n := len(s.requests); {
	case s.random.IntN(6) == 0:
		s.advance(time.Duration(s.random.IntN(4000)) * time.Millisecond)
	case n == 0 || n < 20 && s.random.IntN(2) == 0:
		s.begin()
	default:
		i := s.random.IntN(n)
		s.end(i, s.random.IntN(5))
	}
	pending, all := make([]int64, len(s.members)), s.Stats()
	for i := range s.requests {
		p := &s.requests[i]
		pending[p.member]++
		p.superseded = p.superseded || all[p.member].State == In
	}
	for i, stats := range all {
		if stats.Pending != pending[i] {
			s.t.Fatalf("seed %d: member %d has %d requests in progress, and the stats say %d", s.seed, i, pending[i], stats.Pending)
		}
	}
}

// begin picks a member, sometimes for a request that has failed with others.
func (s *schedule) begin() {
	var failed []*client.Upstream
	for _, m := range s.members {
		if s.random.IntN(4) == 0 {
			failed = append(failed, m.upstream)
		}
	}
	before := s.Stats()
	target, i := s.pick(failed...)
	kind := target.(*attempt).kind
	again := slices.Contains(failed, target.Upstream())
	for j, stats := range before {
		tried := slices.Contains(failed, s.members[j].upstream)
		switch {
		case kind == ordinary && again && stats.State == In && !tried:
			s.t.Fatalf("seed %d: member %d was picked for a request that it has failed for, and member %d is in and was not tried", s.seed, i, j)
		case kind == anyway && stats.State == In:
			s.t.Fatalf("seed %d: member %d was picked although it is out, and member %d is in", s.seed, i, j)
		}
	}
	now := time.Duration(s.clock.Load())
	switch {
	case kind == ordinary && before[i].State != In:
		s.t.Fatalf("seed %d: member %d was picked like one that is in, and is %v", s.seed, i, before[i].State)
	case kind == probing && (before[i].State != Out || again || s.members[i].health.until > now):
		s.t.Fatalf("seed %d: member %d was picked for a probe, and is %v and due at %v; it is %v", s.seed, i, before[i].State, s.members[i].health.until, now)
	}
	for _, p := range s.requests {
		if kind == probing && p.kind == probing && p.member == i && p.status == 0 && !p.superseded {
			s.t.Fatalf("seed %d: member %d is probed by two requests at a time", s.seed, i)
		}
	}
	s.requests = append(s.requests, progress{target: target, member: i, kind: kind})
}

// end is one of the things that can happen to a request.
func (s *schedule) end(i, how int) {
	p := &s.requests[i]
	status, failureKind := 0, error(nil)
	switch how {
	case 0:
		failureKind = client.ErrConnect
	case 1:
		failureKind = client.ErrUpstream
	case 2:
		failureKind = pipeline.ErrClosed
	default:
		status = 200
	}
	if p.status != 0 {
		status = p.status
	} else if status != 0 {
		p.status = status
		p.target.Answered(status)
		if s.random.IntN(2) == 0 {
			return // its body goes on
		}
	}
	outcome := Outcome{Status: status}
	if failureKind != nil {
		outcome.Err = failure(failureKind)
	}
	p.target.Done(outcome)
	s.requests = slices.Delete(s.requests, i, i+1)
}

func TestGroupUnderRandomRequests(t *testing.T) {
	for seed := range uint64(400) {
		random := rand.New(rand.NewPCG(seed, 4))
		balance := []Balance{RoundRobin(), LeastPending(), Hash(func(*server.Request) string { return string(rune('a' + random.IntN(26))) })}[seed%3]
		s := &schedule{testGroup: newTestGroup(t, 1+random.IntN(4), GroupOptions{Balance: balance, MaxFailures: 2}), seed: seed, random: random}
		for range 300 {
			s.step()
		}
		for len(s.requests) > 0 {
			s.requests[0].status = max(s.requests[0].status, 0)
			s.end(0, 2)
		}
		for range s.members {
			s.advance(time.Minute)
			s.answer(200)
		}
		for i, stats := range s.Stats() {
			if stats.State != In || stats.Pending != 0 {
				t.Fatalf("seed %d: a minute after all has been well, member %d should be in and idle, and is %+v", seed, i, stats)
			}
		}
	}
}

// TestGroupOfManyLoops: requests of many goroutines, of which one member fails all for a while.
func TestGroupOfManyLoops(t *testing.T) {
	const goroutines, requests = 8, 3000
	for name, balance := range map[string]Balance{
		"round robin": RoundRobin(), "least pending": LeastPending(), "hash": Hash(func(*server.Request) string { return "" }),
	} {
		g := newTestGroup(t, 3, GroupOptions{Balance: balance})
		var failing atomic.Bool
		failing.Store(true)
		var wait sync.WaitGroup
		for i := range goroutines {
			wait.Go(func() {
				random := rand.New(rand.NewPCG(uint64(i), 5))
				for n := range requests {
					if i == 0 && n == requests/2 {
						failing.Store(false)
					}
					target, err := g.Pick(nil, nil)
					if err != nil {
						t.Errorf("%s: a member should be picked; instead: %v", name, err)
						return
					}
					switch {
					case failing.Load() && target.Upstream() == g.members[1].upstream:
						target.Done(Outcome{Err: failure(client.ErrConnect)})
					case random.IntN(50) == 0:
						target.Done(Outcome{Err: errors.Join(pipeline.ErrClosed)})
					default:
						target.Answered(200)
						target.Done(Outcome{Status: 200})
					}
					g.advance(time.Millisecond)
				}
			})
		}
		wait.Wait()
		total := int64(0)
		for _, stats := range g.Stats() {
			total += stats.Requests
			if stats.Pending != 0 {
				t.Errorf("%s: all requests have ended, and yet there are some in progress: %+v", name, stats)
			}
		}
		if total != goroutines*requests {
			t.Errorf("%s: %d requests were made, and %d are counted", name, goroutines*requests, total)
		}
		g.advance(time.Minute)
		g.answer(200)
		g.wantStates("a minute later the one that failed has answered", In, In, In)
	}
}
