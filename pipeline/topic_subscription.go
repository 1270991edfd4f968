package pipeline

import (
	"errors"
	"io"
)

// ErrEvicted ends a subscription to a Topic whose policy is Evict when it was further behind than Backlog.
var ErrEvicted = errors.New("pipeline: the subscriber was too slow, and was evicted from the topic")

// A subscription is a place in the order of a topic's messages. There are very many: it has to be small.
type subscription[T any] struct {
	lane   *lane[T] // nil once closed
	waker  Waker    // while waiting; with Evict, that of the latest Poll as long as it is open
	cursor uint64   // seq of the last message that was given or passed over
	index  int32    // in the list of the lane that it is in, or unlisted

	end       subscriptionEnd
	waiting   bool // it is in lane.waiting
	replaying bool // it reads from Topic.replay, until a Poll finds cursor no more below the floor of lane.window
	unknown   bool // it began after an id that was not known, and this is to be told
}

// unlisted is the index of a subscription that is in no list.
const unlisted = -1

// subscriptionEnd is one byte for what would be two words.
type subscriptionEnd uint8

const (
	endNone subscriptionEnd = iota
	endEOF
	endClosed
	endEvicted
)

var subscriptionEnds = [...]error{endEOF: io.EOF, endClosed: ErrClosed, endEvicted: ErrEvicted}

// Poll returns the next message; see Source.
func (s *subscription[T]) Poll(w Waker) (T, error) {
	var zero T
	if s.end != endNone {
		return zero, subscriptionEnds[s.end]
	}
	l := s.lane
	e := s.next()
	switch {
	case e == nil && !l.finished:
		l.wait(s, w)
		return zero, ErrPending
	case e == nil:
		return zero, s.finish(endEOF)
	}
	l.stopWaiting(s)
	if l.topic.options.Policy == Evict {
		s.waker = w
	}
	missed := e.seq - s.cursor - 1
	if missed == 0 && !s.unknown {
		return s.give(e), nil
	}
	return s.skip(e, missed)
}

// give returns the value of e, and is behind it from then on.
func (s *subscription[T]) give(e *entry[T]) T {
	s.cursor = e.seq
	s.lane.delivered.Add(1)
	return e.value
}

// skip goes over what was missed before e.
func (s *subscription[T]) skip(e *entry[T], missed uint64) (T, error) {
	var zero T
	l := s.lane
	o := &l.topic.options
	if missed > 0 && o.Policy == Evict {
		l.evicted.Add(1)
		return zero, s.finish(endEvicted)
	}
	l.dropped.Add(missed)
	s.cursor = e.seq - 1
	if s.unknown {
		s.unknown, missed = false, 0
	}
	if o.Missed != nil {
		return o.Missed(missed), nil // e comes with the next Poll, or if it is gone by then, one more of these
	}
	return s.give(e), nil
}

// next returns the entry to give next, or nil if there is none yet.
//
// In the past, that is from Topic.replay, but never one that the lane has behind its floor: so a subscription can not
// overtake its lane, and goes over to it where nothing is missing between the two.
func (s *subscription[T]) next() *entry[T] {
	l := s.lane
	if s.replaying {
		l.topic.mu.Lock()
		e := l.topic.replay.next(s.cursor)
		l.topic.mu.Unlock()
		if e != nil && e.seq <= l.window.floor {
			return e
		}
		s.replaying = false
	}
	return l.window.next(s.cursor)
}

// finish ends the subscription.
func (s *subscription[T]) finish(end subscriptionEnd) error {
	s.lane.leave(s)
	s.end, s.waker = end, nil
	return subscriptionEnds[end]
}

// abort tells the waker of a subscription that was evicted, unless it was closed meanwhile.
func (s *subscription[T]) abort() {
	w := s.waker
	s.waker = nil
	if w != nil {
		abort(w, ErrEvicted)
	}
}

// Close ends the subscription. The last one of a loop gives up the lane.
func (s *subscription[T]) Close() {
	l := s.lane
	if l == nil {
		return
	}
	if s.end == endNone {
		_ = s.finish(endClosed)
	}
	s.lane, s.waker = nil, nil
	if l.subscribers.Add(-1) == 0 {
		l.topic.remove(l)
	}
}
