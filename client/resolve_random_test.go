package client

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/penstock-go/penstock/pipeline"
)

// namesRun does at random what callers, resolver and time may do to a nameCache, and holds against a model what comes
// out: for each host, the addresses that the resolver has given last, and when.
type namesRun struct {
	*handNames
	random  *rand.Rand
	given   map[string]givenAddresses
	version uint32 // of the addresses, each of which is given once
	waiting []waitingSource
}

type givenAddresses struct {
	addresses   []netip.Addr
	at          time.Time
	perhapsGone bool // the resolver has said since that there is no such host
}

type waitingSource struct {
	pipeline.Source[[]netip.Addr]
	host string
}

func TestResolveAtRandom(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	for range 300 {
		r := &namesRun{random: random, given: map[string]givenAddresses{}}
		r.handNames = newHandNames(t, nameOptions{
			fresh: 10 * time.Second, stale: 20 * time.Second, asking: 2, abandoned: 1, queued: 2, hosts: []int{3, 10}[random.IntN(2)],
		})
		r.options.resolver = resolverFunc(r.newAddresses)
		for range 200 {
			r.step()
			r.check()
		}
		r.finish()
	}
}

func (r *namesRun) host() string { return string(rune('a'+r.random.IntN(5))) + ".test" }

func (r *namesRun) step() {
	switch r.random.IntN(6) {
	case 0, 1:
		host := r.host()
		r.waiting = append(r.waiting, waitingSource{r.resolve(r.turn, host), host})
	case 2, 3:
		if len(r.work) > 0 {
			i := r.random.IntN(len(r.work))
			r.work[0], r.work[i] = r.work[i], r.work[0]
			r.run()
		}
	case 4:
		r.advance(time.Duration(r.random.Int64N(int64(4 * time.Second))))
	case 5:
		if len(r.waiting) > 0 {
			i := r.random.IntN(len(r.waiting))
			r.waiting[i].Close()
			r.waiting = slices.Delete(r.waiting, i, i+1)
		}
	}
	r.settle()
	r.waiting = slices.DeleteFunc(r.waiting, func(s waitingSource) bool {
		addresses, err := s.Poll(r.turn)
		if err != pipeline.ErrPending {
			r.ended(s.host, addresses, err)
			s.Close()
		}
		return err != pipeline.ErrPending
	})
}

// newAddresses is a resolver that gives addresses that it never gave before, or fails, or says that there is no such
// host.
func (r *namesRun) newAddresses(_ context.Context, host string) ([]netip.Addr, error) {
	switch r.random.IntN(6) {
	case 0, 1:
		return nil, errNames
	case 2:
		last := r.given[host]
		last.perhapsGone = true // unless this comes too late to be heard
		r.given[host] = last
		return nil, noSuchName(host)
	}
	r.version++
	addresses := []netip.Addr{netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, r.version)))}
	r.given[host] = givenAddresses{addresses: addresses, at: r.time}
	return addresses, nil
}

// ended holds an answer against the model.
func (r *namesRun) ended(host string, addresses []netip.Addr, err error) {
	r.t.Helper()
	last := r.given[host]
	age := r.time.Sub(last.at)
	if err == nil {
		if !slices.Equal(addresses, last.addresses) || age >= 30*time.Second {
			r.t.Fatalf("for %s came %v, when the resolver had given %v last, %v ago", host, addresses, last.addresses, age)
		}
		return
	}
	if !errors.Is(err, ErrResolve) {
		r.t.Fatalf("for %s came %v; an error should be of the kind ErrResolve", host, err)
	}
	if last.addresses != nil && !last.perhapsGone && age < 30*time.Second && r.options.hosts > 5 {
		r.t.Fatalf("for %s came %v, when the resolver had given %v, %v ago", host, err, last.addresses, age)
	}
}

// check holds the bounds.
func (r *namesRun) check() {
	r.t.Helper()
	q, a := &r.questions, &r.answers
	if q.asking > 2 || q.abandoned > 1 || q.asking+q.abandoned != len(r.work) {
		r.t.Fatalf("%d workers are asking and %d abandoned; there should be 2 and 1 at most, and together %d", q.asking, q.abandoned, len(r.work))
	}
	if q.queue.Len() > 2 || len(q.byHost) > 4 || len(r.setTimers()) < len(q.byHost) {
		r.t.Fatalf("%d questions wait of %d, with %d timers; there should be 2 of 4 at most, each with a timer", q.queue.Len(), len(q.byHost), len(r.setTimers()))
	}
	if len(a.byHost) > r.options.hosts || len(a.byHost) != a.byAge.Len() {
		r.t.Fatalf("%d hosts are known and %d listed by age; there should be as many, and %d at most", len(a.byHost), a.byAge.Len(), r.options.hosts)
	}
}

// finish lets time go by without letting a worker come back: whoever waits is told. Then all of them come back.
func (r *namesRun) finish() {
	r.t.Helper()
	for range 4 {
		r.advance(5 * time.Second)
		r.settle()
	}
	for _, s := range r.waiting {
		if _, err := s.Poll(r.turn); err == pipeline.ErrPending {
			r.t.Fatalf("twenty seconds later nobody should wait any more, and somebody waits for %s", s.host)
		}
		s.Close()
	}
	for len(r.work) > 0 {
		r.run()
	}
	if q := &r.questions; q.asking+q.abandoned+len(q.byHost)+q.queue.Len() != 0 || len(r.setTimers()) > 0 {
		r.t.Fatalf("in the end nothing should be left, and there are %d asking, %d abandoned, %d questions, %d timers", q.asking, q.abandoned, len(q.byHost), len(r.setTimers()))
	}
}
