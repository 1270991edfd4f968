package pipeline

import (
	"crypto/rand"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A Publisher takes messages for everybody who is subscribed. It is what an application publishes to: a *Topic, which
// reaches the subscribers of this process, or what sends to a message system, so that it reaches those of all machines.
// Publish may be called on any goroutine. An error means that the message was not taken.
//
// For the latter, each machine has a topic for those who are connected to it, and two small adapters. One is a
// Publisher, and sends to the message system (NATS, Redis, a database's log). The other receives from there and hands
// each message to Topic.Deliver, with the id that the message system has given to it and in the order in which it
// came. The ids are then the same on every machine, so who has read up to one there goes on After it here and misses
// nothing.
type Publisher[T any] interface{ Publish(v T) error }

// A Topic hands each message that is published to all who are subscribed, in one order for everybody. A subscription is
// a Source of one loop, and costs that loop nothing but a few words: it has no goroutine and no queue, it reads what the
// topic keeps for all. However many subscriptions a loop has, a message is one Post to it.
//
// Who publishes is never held up by who reads. What becomes of a subscription that is too far behind, LagPolicy says.
//
// Values are shared by all who get them: they must not be changed, and the topic never releases one (as a Queue does
// with the values it drops).
type Topic[T any] struct {
	options TopicOptions[T]
	prefix  string        // of the ids that the topic makes
	number  atomic.Uint64 // of the latest of those
	closed  atomic.Bool   // changes with mu held

	mu     sync.Mutex        // guards what follows; never held while foreign code runs
	newest uint64            // seq of the latest message
	recent window[T]         // of Backlog entries: what lanes take from
	replay window[T]         // of Replay entries: what subscriptions begin with
	ids    map[string]uint64 // id to seq of what is in replay; the later one, if an id came twice
	lanes  []*lane[T]        // replaced, not changed, so that it can be walked without mu
	past   TopicStats        // of lanes that are gone
}

// TopicStats are counted since the topic was made.
type TopicStats struct {
	Subscribers int    // subscriptions that are open now
	Published   uint64 // messages that were taken
	Delivered   uint64 // messages that subscriptions have given, each counted for each subscription
	Dropped     uint64 // messages that they have passed over, counted when the next message is given
	Evicted     uint64 // subscriptions that ended with ErrEvicted
}

// NewTopic returns a topic without subscribers. It panics if a number in o is negative, or the policy is none.
func NewTopic[T any](o TopicOptions[T]) *Topic[T] {
	o.check()
	o.fill()
	coalesce := o.Policy == KeepLatest
	t := &Topic[T]{
		options: o,
		prefix:  strings.ToLower(rand.Text()[:8]) + "-",
		recent:  newWindow[T](o.Backlog, coalesce),
		replay:  newWindow[T](o.Replay, coalesce),
	}
	if o.Replay > 0 {
		t.ids = make(map[string]uint64)
		t.replay.gone = t.forget
	}
	return t
}

// Publish gives v an id (see TopicOptions.ID) and delivers it. The errors are those of Deliver.
func (t *Topic[T]) Publish(v T) error {
	var id string
	if t.options.ID != nil {
		id = t.options.ID(v)
	}
	return t.Deliver(id, v)
}

// Deliver hands v to all who are subscribed, as the message with this id, and returns without waiting for any of them.
// It is for what receives from a message system, see [Publisher]; ids should not come twice. For an empty id the topic
// makes one, which then means nothing to any other topic. Deliver may be called on any goroutine; of calls at the same
// time, one comes first for everybody.
//
// The errors are ErrClosed when the topic is closed, a sentence when the id holds NUL, CR or LF (it could not be sent
// in a header field), and what TopicOptions.Prepare has returned. If a loop refuses to be told of the message, because it
// has stopped, its subscriptions are given up, and that is no error.
func (t *Topic[T]) Deliver(id string, v T) error {
	if t.closed.Load() {
		return ErrClosed
	}
	e, err := t.entry(id, v)
	if err != nil {
		return err
	}
	t.mu.Lock()
	if t.closed.Load() {
		t.mu.Unlock()
		return ErrClosed
	}
	t.add(e)
	lanes := t.lanes
	t.mu.Unlock()
	for _, l := range lanes {
		l.post()
	}
	return nil
}

// entry prepares a message.
func (t *Topic[T]) entry(id string, v T) (*entry[T], error) {
	o := &t.options
	if strings.ContainsAny(id, "\x00\r\n") {
		return nil, fmt.Errorf("pipeline: the message has the id %q, which holds NUL, CR or LF; "+
			"an id that can be sent in a header field was expected", id)
	}
	if id == "" && (o.Prepare != nil || o.Replay > 0) { // nobody else sees it
		id = t.prefix + strconv.FormatUint(t.number.Add(1), 10)
	}
	if o.Prepare != nil {
		var err error
		if v, err = o.Prepare(id, v); err != nil {
			return nil, err
		}
	}
	e := &entry[T]{id: id, value: v}
	if o.Key != nil {
		e.key = o.Key(v)
	}
	if o.ReplayAge > 0 {
		e.time = o.Clock()
	}
	return e, nil
}

// add gives e its place, under mu.
func (t *Topic[T]) add(e *entry[T]) {
	t.newest++
	e.seq = t.newest
	t.recent.append(e)
	if t.options.Replay == 0 {
		return
	}
	t.ids[e.id] = e.seq
	t.replay.append(e)
	if age := t.options.ReplayAge; age > 0 {
		t.replay.dropBefore(e.time.Add(-age))
	}
}

// forget is told of entries that leave replay, under mu.
func (t *Topic[T]) forget(e *entry[T]) {
	if t.ids[e.id] == e.seq {
		delete(t.ids, e.id)
	}
}

// Subscribe returns the stream of the messages behind from. It is called on the goroutine of loop, and there the stream
// is polled and closed. loop must be fit to be compared with ==; a pointer is.
//
// The stream ends with io.EOF when the topic is closed and all of it was read, and with ErrEvicted if the policy is Evict
// and it was too far behind. A stream that begins in the past is not held to TopicOptions.Backlog until it has come
// that near; it misses only what was no more kept for it, by Replay and ReplayAge, when it was read. A closed topic can
// be subscribed to: what it keeps comes, and io.EOF.
func (t *Topic[T]) Subscribe(loop Poster, from Position) Source[T] {
	s := &subscription[T]{index: unlisted}
	var oldest time.Time
	if t.options.ReplayAge > 0 && from != Newest {
		oldest = t.options.Clock().Add(-t.options.ReplayAge)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.replay.dropBefore(oldest)
	s.lane = t.lane(loop)
	s.lane.take()
	s.cursor, s.unknown = t.find(from)
	s.replaying = s.cursor < s.lane.window.floor
	s.lane.subscribers.Add(1)
	s.lane.join(s)
	return s
}

// find returns the seq that a subscription begins behind, under mu, and whether what came before is unknown.
func (t *Topic[T]) find(from Position) (cursor uint64, unknown bool) {
	if from == Newest {
		return t.newest, false
	}
	if seq, ok := t.ids[string(from)]; ok {
		return seq, false
	}
	cursor = t.newest
	if first := t.replay.next(0); first != nil {
		cursor = first.seq - 1
	}
	return cursor, from != Oldest
}

// lane returns the lane of loop, under mu.
func (t *Topic[T]) lane(loop Poster) *lane[T] {
	for _, l := range t.lanes {
		if l.loop == loop {
			return l
		}
	}
	l := newLane(t, loop)
	t.lanes = append(slices.Clip(t.lanes), l)
	return l
}

// remove takes a lane out, and counts on for it. It may come twice for a lane: when its loop has stopped, and when its
// last subscription is closed.
func (t *Topic[T]) remove(l *lane[T]) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if i := slices.Index(t.lanes, l); i >= 0 {
		t.lanes = slices.Concat(t.lanes[:i], t.lanes[i+1:])
	}
	t.past.Delivered += l.delivered.Swap(0)
	t.past.Dropped += l.dropped.Swap(0)
	t.past.Evicted += l.evicted.Swap(0)
}

// Close closes the topic: Publish and Deliver return ErrClosed, and streams end with io.EOF behind what they have still
// to give. It may be called on any goroutine; closing again does nothing.
func (t *Topic[T]) Close() {
	t.mu.Lock()
	if t.closed.Swap(true) {
		t.mu.Unlock()
		return
	}
	lanes := t.lanes
	t.mu.Unlock()
	for _, l := range lanes {
		l.post()
	}
}

// Stats returns the counts. It may be called on any goroutine.
func (t *Topic[T]) Stats() TopicStats {
	t.mu.Lock()
	defer t.mu.Unlock()
	stats := t.past
	stats.Published = t.newest
	for _, l := range t.lanes {
		stats.Subscribers += int(l.subscribers.Load())
		stats.Delivered += l.delivered.Load()
		stats.Dropped += l.dropped.Load()
		stats.Evicted += l.evicted.Load()
	}
	return stats
}
