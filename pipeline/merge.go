package pipeline

import "io"

// Merge returns the values of all the sources as they come: each source's in its order, the sources in turn while
// several have values. A source is closed as soon as it has ended; the stream ends when all have. The failure of one
// ends the whole stream with that error. Close closes the sources that are left.
//
// Only sources that may have something are polled: each has a waker of its own, so that one wake costs one poll
// however many sources there are.
func Merge[T any](sources ...Source[T]) Source[T] {
	s := &merged[T]{branches: make([]branch[T], len(sources)), open: len(sources)}
	for i, src := range sources {
		b := &s.branches[i]
		b.merge, b.src = s, src
		s.enqueue(b)
	}
	return s
}

// merged keeps the branches that may have something in a queue, each in it once at most. A branch leaves the queue
// when it is polled, and comes back when it gave a value (behind the others: that is the fairness) or was woken.
type merged[T any] struct {
	branches    []branch[T]
	first, last *branch[T] // the queue
	queued      int        // its length; while waiting it is 0
	open        int        // branches that have not ended
	waker       Waker      // of the latest Poll
	waiting     bool       // that returned ErrPending, and waker was not woken since
	end         error
}

// branch is one source of a merge, and the waker that this source is polled with.
type branch[T any] struct {
	merge *merged[T]
	src   Source[T] // nil once closed
	next  *branch[T]
	ready bool // in the queue
}

// Poll gives each branch of the queue one chance. Branches that come to the queue meanwhile wait for the next Poll, for
// one that wakes itself whenever it is polled would hold the loop.
func (s *merged[T]) Poll(w Waker) (T, error) {
	var zero T
	if s.end != nil {
		return zero, s.end
	}
	s.waker, s.waiting = w, false
	for range s.queued {
		b := s.dequeue()
		if b.src == nil {
			continue // it woke itself, then ended
		}
		v, err := b.src.Poll(b)
		switch err {
		case nil:
			s.enqueue(b)
			return v, nil
		case ErrPending:
			continue
		}
		s.open--
		b.close()
		if err != io.EOF {
			s.end = err
			return zero, s.end
		}
	}
	if s.open == 0 {
		s.end = io.EOF
		return zero, s.end
	}
	if s.queued > 0 {
		w.Wake()
	} else {
		s.waiting = true
	}
	return zero, ErrPending
}

// Close forgets the waker first, for closing one branch may wake another.
func (s *merged[T]) Close() {
	s.waker, s.waiting = nil, false
	if s.end == nil {
		s.end = ErrClosed
	}
	for i := range s.branches {
		s.branches[i].close()
	}
}

func (s *merged[T]) enqueue(b *branch[T]) {
	if b.ready {
		return
	}
	b.ready = true
	if s.first == nil {
		s.first = b
	} else {
		s.last.next = b
	}
	s.last = b
	s.queued++
}

func (s *merged[T]) dequeue() *branch[T] {
	b := s.first
	s.first = b.next
	b.next, b.ready = nil, false
	s.queued--
	return b
}

// Wake puts the branch into the queue and wakes who waits for the merge.
func (b *branch[T]) Wake() {
	s := b.merge
	s.enqueue(b)
	if s.waiting {
		s.waiting = false
		s.waker.Wake()
	}
}

// Abort ends the stream with the failure of the branch, ahead of what others have, and tells who was the last to poll:
// waiting or not, since who is not may be the one that has to be told. See [Aborter].
func (b *branch[T]) Abort(err error) {
	s := b.merge
	if s.end != nil {
		return
	}
	w := s.waker
	s.end, s.waker, s.waiting = err, nil, false
	abort(w, err)
}

func (b *branch[T]) close() {
	if src := b.src; src != nil {
		b.src = nil
		src.Close()
	}
}
