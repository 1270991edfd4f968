package pipeline_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/penstock-go/penstock/pipeline"
)

// topicRun is a topic and its model, to which the same is done.
type topicRun struct {
	t      *testing.T
	what   string
	random *rand.Rand
	now    time.Time
	topic  *pipeline.Topic[int]
	model  topicModel
	loops  []*runLoop
	depth  int // of wakes within which something is done
}

type runLoop struct {
	handLoop
	model modelLane
	subs  []*runSubscription
}

// runSubscription is a subscription and the waker of its polls.
type runSubscription struct {
	run    *topicRun
	loop   *runLoop
	source pipeline.Source[int]
	model  *modelSubscription
	polled bool // a waker of it is known
	wake   bool // the model says that it is woken in this step
	abort  bool // or aborted
}

// plainWaker and abortWaker are the two kinds of waker.
type plainWaker struct{ s *runSubscription }

type abortWaker struct{ s *runSubscription }

func (w plainWaker) Wake() { w.s.woken(w.s.wake || w.s.abort) }

func (w abortWaker) Wake() { w.s.woken(w.s.wake) }

func (w abortWaker) Abort(err error) {
	if err != pipeline.ErrEvicted {
		w.s.run.fail("a waker was aborted with %v, ErrEvicted was expected", err)
	}
	w.s.woken(w.s.abort)
}

func (s *runSubscription) woken(expected bool) {
	if !expected {
		s.run.fail("a subscription at %d was told something, but the model says that there is nothing to tell", s.model.cursor)
	}
	s.wake, s.abort, s.model.waiting = false, false, false
	if s.run.random.IntN(4) == 0 && s.run.depth < 3 {
		s.run.depth++
		s.run.within(s.loop)
		s.run.depth--
	}
}

func (r *topicRun) fail(format string, args ...any) {
	r.t.Helper()
	r.t.Fatalf("%s (%s)", fmt.Sprintf(format, args...), r.what)
}

func newTopicRun(t *testing.T, seed, round uint64) *topicRun {
	r := &topicRun{t: t, random: rand.New(rand.NewPCG(seed, round)), now: time.Unix(1_000_000, 0)}
	o := pipeline.TopicOptions[int]{
		Backlog: 1 + r.random.IntN(6),
		Policy:  pipeline.LagPolicy(r.random.IntN(3)),
		Replay:  max(0, r.random.IntN(16)-3),
		Clock:   func() time.Time { return r.now },
		Key:     func(seq int) string { return r.model.messages[seq-1].key },
		ID:      func(seq int) string { return r.model.messages[seq-1].id },
	}
	if r.random.IntN(2) == 0 {
		o.ReplayAge = 3 * time.Second
	}
	if r.random.IntN(2) == 0 {
		o.Missed = func(n uint64) int { return -1 - int(n) }
	}
	r.topic, r.model = pipeline.NewTopic(o), topicModel{options: o}
	for range 1 + r.random.IntN(3) {
		r.loops = append(r.loops, new(runLoop))
	}
	r.what = fmt.Sprintf("%v, round %d, seed %d", &r.model, round, seed)
	return r
}

// act does one thing.
func (r *topicRun) act() {
	l := r.loops[r.random.IntN(len(r.loops))]
	switch n := r.random.IntN(20); {
	case n < 7:
		r.publish()
	case n < 10:
		r.step(l)
	case n < 11:
		r.now = r.now.Add(time.Duration(r.random.IntN(4)) * time.Second)
	default:
		r.within(l)
	}
	if r.random.IntN(10) == 0 {
		r.compareStats()
	}
}

// within does what may be done on the loop l, within a wake too.
func (r *topicRun) within(l *runLoop) {
	if len(l.subs) == 0 || r.random.IntN(8) == 0 {
		r.subscribe(l)
		return
	}
	s := l.subs[r.random.IntN(len(l.subs))]
	if r.random.IntN(12) == 0 {
		r.closeSubscription(s)
		return
	}
	for range 1 + r.random.IntN(4) {
		r.poll(s)
	}
}

func (r *topicRun) publish() {
	seq := len(r.model.messages) + 1
	id := fmt.Sprint("id ", r.random.IntN(100))
	if r.model.options.Policy == pipeline.KeepLatest {
		id = fmt.Sprint("id ", seq) // an id that comes twice has a test of its own there
	}
	m := modelMessage{id: id, key: fmt.Sprint(r.random.IntN(8)), time: r.now}
	r.model.messages = append(r.model.messages, m) // before it is true, for Key and ID
	var err error
	if r.random.IntN(2) == 0 {
		err = r.topic.Publish(seq)
	} else {
		err = r.topic.Deliver(id, seq)
	}
	if err != nil {
		r.fail("a topic that is open refused a message: %v", err)
	}
	r.model.stats.Published++
	r.model.age(r.now)
	r.expectPosts()
}

// expectPosts says that each loop with subscriptions has a post on its way, one and no more.
func (r *topicRun) expectPosts() {
	for i, l := range r.loops {
		m := &l.model
		if m.subs > 0 && !slices.Contains(m.posts, m.life) {
			m.count++
			m.posts = append(m.posts, m.life)
		}
		if l.count != l.model.count {
			r.fail("loop %d was posted to %d times, %d were expected", i, l.count, l.model.count)
		}
	}
}

func (r *topicRun) step(l *runLoop) {
	if len(l.posts) == 0 {
		return
	}
	var models []*modelSubscription
	for _, s := range l.subs {
		models = append(models, s.model)
	}
	wakes := r.model.run(&l.model, models)
	for _, s := range l.subs {
		s.wake = wakes && s.model.waiting
		s.abort, s.model.evicted = s.model.evicted && s.polled, false
		s.model.waiting = s.model.waiting && !wakes
	}
	l.step()
	for _, s := range l.subs {
		if s.wake || s.abort {
			r.fail("a subscription at %d waits, or was evicted, and there is news, but nobody told it", s.model.cursor)
		}
	}
}

func (r *topicRun) subscribe(l *runLoop) {
	from := []pipeline.Position{pipeline.Newest, pipeline.Oldest, pipeline.After("never given")}[r.random.IntN(3)]
	if kept := r.model.replay(); len(kept) > 0 && r.random.IntN(2) == 0 {
		from = pipeline.After(r.model.messages[kept[r.random.IntN(len(kept))]-1].id)
	} else if len(r.model.messages) > 0 && r.random.IntN(4) == 0 && r.model.options.Policy != pipeline.KeepLatest {
		from = pipeline.After(r.model.messages[r.random.IntN(len(r.model.messages))].id) // kept or not
	}
	s := &runSubscription{run: r, loop: l}
	s.model = r.model.subscribe(&l.model, from, r.now)
	s.source = r.topic.Subscribe(l, from)
	l.subs = append(l.subs, s)
	r.model.stats.Subscribers++
}

func (r *topicRun) closeSubscription(s *runSubscription) {
	s.source.Close()
	s.source.Close()
	s.wake, s.abort = false, false
	l := s.loop
	l.subs = slices.DeleteFunc(l.subs, func(other *runSubscription) bool { return other == s })
	l.model.subs--
	r.model.stats.Subscribers--
}

func (r *topicRun) poll(s *runSubscription) (ended bool) {
	var w pipeline.Waker = plainWaker{s}
	if r.random.IntN(2) == 0 {
		w = abortWaker{s}
	}
	want, wantErr := r.model.poll(&s.loop.model, s.model)
	s.polled = s.polled || s.model.end == nil
	s.wake = s.wake && s.model.waiting // else it has what it waited for
	v, err := s.source.Poll(w)
	if v != want || err != wantErr {
		r.fail("Poll at %d returned %d and %v, %d and %v were expected", s.model.cursor, v, err, want, wantErr)
	}
	return s.model.end != nil
}

func (r *topicRun) compareStats() {
	if got := r.topic.Stats(); got != r.model.stats {
		r.fail("the counts are %+v, %+v were expected", got, r.model.stats)
	}
}

// finish closes the topic and reads every stream to its end.
func (r *topicRun) finish() {
	r.topic.Close()
	r.topic.Close()
	r.model.closed = true
	r.expectPosts()
	if err := r.topic.Deliver("id", 1); err != pipeline.ErrClosed {
		r.fail("a closed topic answered Deliver with %v, ErrClosed was expected", err)
	}
	r.depth = 3 // nothing new from here on
	for _, l := range r.loops {
		if r.random.IntN(2) == 0 {
			r.subscribe(l)
		}
		for len(l.posts) > 0 {
			r.step(l)
		}
		for len(l.subs) > 0 {
			s := l.subs[0]
			for !r.poll(s) {
				if s.model.waiting {
					r.fail("a stream of a closed topic waits at %d", s.model.cursor)
				}
			}
			r.poll(s)
			r.compareReceived(s.model)
			r.closeSubscription(s)
		}
	}
	r.compareStats()
}

// compareReceived checks the model: what was received and what was skipped is all there was, in order.
func (r *topicRun) compareReceived(m *modelSubscription) {
	if !slices.IsSorted(m.received) || len(slices.Compact(slices.Clone(m.received))) != len(m.received) {
		r.fail("a subscription received %v, which is not in order", m.received)
	}
	if all := m.cursor - m.began; len(m.received)+m.skipped != all {
		r.fail("a subscription received %d messages and skipped %d, together %d were expected", len(m.received), m.skipped, all)
	}
	if r.model.options.Policy == pipeline.Evict && m.skipped > 0 {
		r.fail("a subscription of a topic that evicts has skipped %d messages", m.skipped)
	}
}

// Whatever is done in whatever order on whichever loop, wakes that do more of it included, each subscription gets what
// the model says.
func TestTopicAgainstAModel(t *testing.T) {
	seed := topicSeed(t)
	rounds := uint64(400)
	if testing.Short() {
		rounds = 100
	}
	for round := range rounds {
		r := newTopicRun(t, seed, round)
		for range r.random.IntN(150) {
			r.act()
		}
		r.finish()
	}
}
