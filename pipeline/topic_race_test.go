package pipeline_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
)

// numbered is a message of one of several publishers, or if missed is set, the sign that some were missed.
type numbered struct {
	publisher, number int
	missed            uint64
}

// busyLoop is a loop with a goroutine of its own, on which subscribers do at random what subscribers do.
type busyLoop struct {
	posts  posts
	random *rand.Rand
	topic  *pipeline.Topic[numbered]
	from   []pipeline.Position
	open   []*reader
	done   []*reader // have read to the end
}

// reader is a subscriber that keeps what it gets.
type reader struct {
	task
	source pipeline.Source[numbered]
	from   pipeline.Position
	got    []numbered
	end    error
}

// run runs the loop until closed says that the topic is closed, and all streams were read to their ends.
func (l *busyLoop) run(t *testing.T, ready *sync.WaitGroup, closed <-chan struct{}) {
	l.act() // subscribes
	ready.Done()
	for {
		select {
		case f := <-l.posts:
			f()
		case <-closed:
			l.finish(t)
			return
		default:
			l.act()
			runtime.Gosched()
		}
	}
}

func (l *busyLoop) act() {
	for len(l.open) < 5 || l.random.IntN(200) == 0 && len(l.open) < 20 {
		r := &reader{from: l.from[l.random.IntN(len(l.from))]}
		r.source = l.topic.Subscribe(l.posts, r.from)
		l.open = append(l.open, r)
	}
	i := l.random.IntN(len(l.open))
	r := l.open[i]
	if l.random.IntN(300) == 0 {
		r.source.Close()
		l.open = slices.Delete(l.open, i, i+1)
		return
	}
	for range l.random.IntN(20) {
		r.poll()
	}
}

func (r *reader) poll() {
	if r.end != nil {
		return
	}
	r.woken = false
	v, err := r.source.Poll(r)
	switch err {
	case nil:
		r.got, r.woken = append(r.got, v), true // there may be more
	case pipeline.ErrPending:
	default:
		r.end = err
	}
}

// finish reads all to their end. The topic was closed before, so whoever waits was woken, or a post for it is there.
func (l *busyLoop) finish(t *testing.T) {
	for _, r := range l.open {
		for r.poll(); r.end == nil; r.poll() {
			for !r.woken {
				select {
				case f := <-l.posts:
					f()
				default:
					t.Error("a stream of a closed topic is pending, was not woken, and nothing is posted that would do so")
					return
				}
			}
		}
		r.source.Close()
	}
	l.done = l.open
}

// busyTopic has publishers publish, each its numbers, and loops of subscribers run, until all is published and read.
func busyTopic(t *testing.T, o pipeline.TopicOptions[numbered], publishers, each int, from ...pipeline.Position) []*reader {
	seed := topicSeed(t)
	t.Logf("seed %d", seed)
	topic := pipeline.NewTopic(o)
	var ready, publishing, running sync.WaitGroup
	closed := make(chan struct{})
	var loops []*busyLoop
	for i := range uint64(3) {
		l := &busyLoop{posts: make(posts, 256), random: rand.New(rand.NewPCG(seed, i)), topic: topic, from: from}
		loops = append(loops, l)
		ready.Add(1)
		running.Go(func() { l.run(t, &ready, closed) })
	}
	ready.Wait()
	for p := range publishers {
		publishing.Go(func() {
			for n := 1; n <= each; n++ {
				if err := topic.Deliver(fmt.Sprint(p, "-", n), numbered{publisher: p, number: n}); err != nil {
					t.Errorf("Deliver returned %v, but the topic is open", err)
				}
				runtime.Gosched() // so that the loops come between
			}
		})
	}
	publishing.Wait()
	topic.Close()
	close(closed)
	running.Wait()
	var all []*reader
	for _, l := range loops {
		all = append(all, l.done...)
	}
	want := pipeline.TopicStats{Published: uint64(publishers * each)}
	got := topic.Stats()
	got.Delivered, got.Dropped, got.Evicted = 0, 0, 0
	if got != want {
		t.Errorf("the counts are %+v, %+v were expected, with nobody left", got, want)
	}
	return all
}

// With room for all of it, everybody gets everything from where they began, in one order.
func TestTopicFromManyGoroutines(t *testing.T) {
	const publishers, each = 3, 1000
	all := busyTopic(t, pipeline.TopicOptions[numbered]{Backlog: publishers * each, Replay: publishers * each},
		publishers, each, pipeline.Newest, pipeline.Oldest, pipeline.After("0-100"))
	var whole []numbered
	for _, r := range all {
		if r.from == pipeline.Oldest {
			whole = r.got
		}
	}
	if whole != nil && len(whole) != publishers*each {
		t.Fatalf("who began at the oldest message got %d, %d were expected", len(whole), publishers*each)
	}
	for _, r := range all {
		if r.end != io.EOF {
			t.Errorf("a stream ended with %v, but the topic was closed", r.end)
		}
		if whole != nil && !slices.Equal(r.got, whole[len(whole)-len(r.got):]) {
			t.Errorf("a subscriber got %d messages, which are not the last that another got", len(r.got))
		}
		checkEach(t, r.got, each)
	}
}

// checkEach checks that of each publisher the numbers come one after the other, up to the last.
func checkEach(t *testing.T, got []numbered, each int) {
	t.Helper()
	latest := make(map[int]int)
	for _, v := range got {
		if last, ok := latest[v.publisher]; ok && v.number != last+1 {
			t.Fatalf("number %d came behind number %d of the same publisher", v.number, last)
		}
		latest[v.publisher] = v.number
	}
	for _, last := range latest {
		if last != each {
			t.Errorf("the last number that came was %d, %d was expected", last, each)
		}
	}
}

// With little room, what comes and what is said to have been missed is all there is.
func TestTopicFallsBehindWithManyGoroutines(t *testing.T) {
	const each = 3000
	for _, policy := range []pipeline.LagPolicy{pipeline.SkipOldest, pipeline.KeepLatest, pipeline.Evict} {
		o := pipeline.TopicOptions[numbered]{
			Backlog: 4, Replay: 50, Policy: policy,
			Key:    func(v numbered) string { return fmt.Sprint(v.number % 6) },
			Missed: func(n uint64) numbered { return numbered{missed: n} },
		}
		for _, r := range busyTopic(t, o, 1, each, pipeline.Newest, pipeline.Oldest) {
			checkMissed(t, r, each)
			if evicts := policy == pipeline.Evict; r.end != io.EOF && (!evicts || r.end != pipeline.ErrEvicted) {
				t.Errorf("a stream ended with %v, which policy %d does not do", r.end, policy)
			}
		}
	}
}

func checkMissed(t *testing.T, r *reader, each int) {
	t.Helper()
	if len(r.got) == 0 {
		return
	}
	at := 0 // not known
	for _, v := range r.got {
		switch {
		case v.missed > 0 && at > 0:
			at += int(v.missed)
		case v.missed == 0 && at > 0 && v.number != at+1:
			t.Fatalf("number %d came, and %d was expected, by what came before and what was said to be missed", v.number, at+1)
		case v.missed == 0:
			at = v.number
		}
	}
	if r.end == io.EOF && at != each {
		t.Errorf("the last number that came was %d, %d was expected", at, each)
	}
}
