package pipeline

import "sync/atomic"

// A lane is what the subscriptions of one loop share. A message travels so:
//
//	Deliver, any goroutine:  Topic.recent, under Topic.mu  ->  post, unless one is on its way
//	run, on the loop:        Topic.recent  ->  window, under Topic.mu  ->  evict  ->  wake
//	Poll, on the loop:       window  ->  the subscriber; no lock
//
// Its rules:
//
//   - posted is cleared before the entries are taken. So of an entry that is added while posted is set, the run that
//     clears it takes notice, and an entry added later has a post of its own.
//   - window is what recent was when the lane last took from it: in a run, or before that in a Subscribe, since where a
//     subscription begins is seen by the newest message: compared with an older one, it would not seem to be in the
//     past. So no subscription is ahead of its lane, and a run wakes all that wait, even if it finds nothing to take.
//   - A subscription is in one list at most. It waits from a Poll that returned ErrPending until a Wake, or a Poll that
//     returned something else, or Close. With Evict those that are not waiting are busy: they are not polling, so a run
//     has to look for those among them that are too far behind.
//   - Wake and Abort may subscribe, poll and close anything of this lane. During a run, who leaves the part of
//     waiting that it walks leaves nil behind, and who begins to wait is put behind that part.
type lane[T any] struct {
	topic   *Topic[T]
	loop    Poster
	runFunc func()      // l.run, made once for all posts
	posted  atomic.Bool // runFunc is waiting in the loop

	_ [64]byte // publishers write above, the loop below: not on one line of a cache

	// Written by the loop only, but for the Swap in Topic.remove.
	subscribers                 atomic.Int64
	delivered, dropped, evicted atomic.Uint64

	// Owned by the goroutine of the loop.
	window   window[T]
	newest   uint64 // seq up to which entries were taken
	lost     uint64 // floor of Topic.replay at that time: what a subscription in the past can not get any more
	finished bool   // the topic is closed, and nothing comes any more
	waiting  []*subscription[T]
	walked   int                // how much of waiting is being walked
	busy     []*subscription[T] // with Evict only
	aborted  []*subscription[T] // memory for evict
}

// newLane returns a lane that has taken nothing yet.
func newLane[T any](t *Topic[T], loop Poster) *lane[T] {
	l := &lane[T]{topic: t, loop: loop, window: newWindow[T](t.options.Backlog, t.options.Policy == KeepLatest)}
	l.runFunc = l.run
	return l
}

// post has the lane run, if it is not going to. It is called on any goroutine, with no lock held.
func (l *lane[T]) post() {
	if !l.posted.CompareAndSwap(false, true) {
		return
	}
	if err := l.loop.Post(l.runFunc); err != nil {
		l.topic.remove(l) // the loop has stopped: nobody polls any more
	}
}

// run runs on the loop. There is news, though a Subscribe may have taken it already.
func (l *lane[T]) run() {
	l.posted.Store(false)
	l.topic.mu.Lock()
	l.take()
	l.topic.mu.Unlock()
	l.walked = len(l.waiting) // who begins to wait from here on has seen the news
	l.evict()
	l.wake()
}

// take takes what is new in the topic, under Topic.mu.
func (l *lane[T]) take() {
	t := l.topic
	for _, s := range t.recent.behind(l.newest) {
		l.window.append(s.entry)
	}
	l.window.floor = max(l.window.floor, t.recent.floor) // a lane that was late has never had some of them
	l.newest, l.lost, l.finished = t.newest, t.replay.floor, t.closed.Load()
}

// evict ends the busy subscriptions that are too far behind, and tells their wakers.
func (l *lane[T]) evict() {
	if l.topic.options.Policy != Evict {
		return
	}
	aborted := l.aborted[:0]
	for i := len(l.busy) - 1; i >= 0; i-- { // from the end, since who leaves is replaced by the last
		if s := l.busy[i]; s.cursor < l.window.floor && (!s.replaying || s.cursor < l.lost) {
			l.leave(s)
			s.end = endEvicted
			l.evicted.Add(1)
			aborted = append(aborted, s)
		}
	}
	l.aborted = aborted
	for i, s := range aborted { // by now all are ended, so that it does not matter what one does to another
		aborted[i] = nil
		s.abort()
	}
}

// wake wakes those that wait, up to walked.
func (l *lane[T]) wake() {
	for i := 0; i < l.walked; i++ {
		s := l.waiting[i]
		if s == nil {
			continue
		}
		w := s.waker
		l.leave(s)
		l.join(s)
		w.Wake()
	}
	began := l.waiting[l.walked:] // to wait, meanwhile
	n := copy(l.waiting, began)
	for i, s := range l.waiting[:n] {
		s.index = int32(i)
	}
	clear(l.waiting[n:])
	l.waiting, l.walked = l.waiting[:n], 0
}

// join puts a subscription that does not wait where it is found.
func (l *lane[T]) join(s *subscription[T]) {
	if l.topic.options.Policy == Evict {
		s.index = int32(len(l.busy))
		l.busy = append(l.busy, s)
		return
	}
	s.waker = nil
}

// wait puts a subscription, which may wait already, among those that do.
func (l *lane[T]) wait(s *subscription[T], w Waker) {
	if !s.waiting {
		l.leave(s)
		s.waiting, s.index = true, int32(len(l.waiting))
		l.waiting = append(l.waiting, s)
	}
	s.waker = w
}

// stopWaiting puts a subscription that may wait among those that do not.
func (l *lane[T]) stopWaiting(s *subscription[T]) {
	if s.waiting {
		l.leave(s)
		l.join(s)
	}
}

// leave takes a subscription out of the list that it is in, if it is in one.
func (l *lane[T]) leave(s *subscription[T]) {
	i := int(s.index)
	if i == unlisted {
		return
	}
	switch {
	case !s.waiting:
		l.busy = removeListed(l.busy, i)
	case i < l.walked:
		l.waiting[i] = nil
	default:
		l.waiting = removeListed(l.waiting, i)
	}
	s.waiting, s.index = false, unlisted
}

// removeListed puts the last one in the place i.
func removeListed[T any](list []*subscription[T], i int) []*subscription[T] {
	last := len(list) - 1
	list[i] = list[last]
	list[i].index = int32(i)
	list[last] = nil
	return list[:last]
}
