package pipeline

import (
	"io"
	"sync"
)

// FromChannel returns the stream of the values received from values, which ends with io.EOF when that is closed.
//
// Poll receives without blocking. Only while the channel is empty and somebody waits is there a goroutine, which waits
// for one value, posts it to loop and ends: 2 KB and more for each stream that waits. For very many streams use a
// Queue or a Topic.
//
// closed, if not nil, is called once when the consumer closes the source, also when that is after its end: typically
// the cancel function of a context, or whatever ends the subscription that sends to the channel. It runs on the loop
// and must not block. If the loop has stopped, and a value came that can not be posted any more, it is called on the
// goroutine that has received the value, since nobody is left who would close the source.
//
// Close ends the goroutine. A value that it has received and that nobody will read is released; values that are still
// in the channel stay there.
func FromChannel[T any](loop Poster, values <-chan T, closed func()) Source[T] {
	return &channeled[T]{loop: loop, values: values, closed: closed}
}

// channeled is owned by the loop's goroutine, but for telling, which calls closed once, whoever comes first. The
// goroutine that receives never touches the rest: it hands the value to deliver through Post. From the Poll that
// starts it until deliver it alone receives, so that values come in their order.
type channeled[T any] struct {
	loop      Poster
	values    <-chan T
	closed    func()
	telling   sync.Once
	quit      chan struct{} // closed by Close; made when somebody first waits
	waker     Waker         // of the latest Poll if that returned ErrPending
	receiving bool          // from the start of a goroutine until deliver
	value     T
	ready     bool // value is there to be read, and the end is still to come
	end       error
}

func (s *channeled[T]) Poll(w Waker) (T, error) {
	var zero T
	switch {
	case s.ready:
		v := s.value
		s.value, s.ready = zero, false
		return v, nil
	case s.end != nil:
		return zero, s.end
	}
	if !s.receiving {
		select {
		case v, open := <-s.values:
			if !open {
				s.end = io.EOF
				return zero, s.end
			}
			return v, nil
		default:
		}
		s.receiving = true
		if s.quit == nil {
			s.quit = make(chan struct{})
		}
		go s.receive(s.quit)
	}
	s.waker = w
	return zero, ErrPending
}

func (s *channeled[T]) Close() {
	if s.end == nil {
		s.end = ErrClosed
	}
	s.waker = nil
	if quit := s.quit; quit != nil {
		s.quit = nil
		close(quit)
	}
	s.telling.Do(s.tell)
	if s.ready {
		var zero T
		v := s.value
		s.value, s.ready = zero, false
		release(v)
	}
}

// receive runs on a goroutine of its own.
func (s *channeled[T]) receive(quit <-chan struct{}) {
	select {
	case <-quit:
	case v, open := <-s.values:
		if s.loop.Post(func() { s.deliver(v, open) }) == nil {
			return
		}
		s.telling.Do(s.tell)
		if open {
			release(v)
		}
	}
}

// deliver runs on the loop.
func (s *channeled[T]) deliver(v T, open bool) {
	s.receiving = false
	if s.end != nil { // closed
		if open {
			release(v)
		}
		return
	}
	s.value, s.ready = v, open // a channel that is closed is found so again by Poll
	if w := s.waker; w != nil {
		s.waker = nil
		w.Wake()
	}
}

func (s *channeled[T]) tell() {
	if s.closed != nil {
		s.closed()
	}
}
