package server

import (
	"io"

	"github.com/penstock-go/penstock/pipeline"
)

// What the server itself has to add to the body of a stream: a comment when an event stream
// is silent, and the end when the server is shut down. Both enter where the handler's source
// does, upstream of every stage that MapBody puts in: to a stage they are what the source
// gave. So a stage that codes the body codes all of it, and ends it as it should.

// additions are what is to be added at the next poll.
type additions struct {
	comment bool // unless the source has something else to say
	end     bool // in place of whatever the source has left
}

// comment is what an event stream sends that would be silent for too long. Nobody is shown
// it (WHATWG HTML, section 9.2.6). It comes between two chunks of the source, so between
// two events.
var comment = []byte(":\n\n")

// poll polls source, and makes the additions.
func (a *additions) poll(source pipeline.Source[[]byte], w pipeline.Waker) ([]byte, error) {
	if a.end {
		return nil, io.EOF
	}
	chunk, err := source.Poll(w)
	switch {
	case err == nil && len(chunk) > 0:
		a.comment = false
	case err == pipeline.ErrPending && a.comment:
		a.comment = false
		return comment, nil
	}
	return chunk, err
}

// inlet returns where additions enter a body that has stages. A body without has none, for
// many subscribers would have to hold it: what is added to it waits in the flow.
func (f *flow) inlet() *inlet {
	if f.extra == nil {
		return nil
	}
	return f.extra.inlet
}

// addComment has a comment sent at the next poll.
func (f *flow) addComment() {
	if in := f.inlet(); in != nil {
		in.added.comment = true
		in.wake()
		return
	}
	f.added.comment = true
}

// addEnd has the body end at the next poll. The source is not closed yet: a chunk of it may
// still be on its way.
func (f *flow) addEnd() {
	if in := f.inlet(); in != nil {
		in.added.end = true
		in.wake()
		return
	}
	f.added.end = true
}

// addInlet has additions enter behind the source, which stages are to be put around.
func (f *flow) addInlet() {
	if f.inlet() != nil {
		return
	}
	in := &inlet{source: f.source}
	f.extra = f.copyExtra()
	f.extra.inlet, f.source = in, in
}

// inlet is the handler's source as the first stage reads it, with what is added. Owned by
// the loop goroutine.
type inlet struct {
	source pipeline.Source[[]byte] // nil once closed
	waker  pipeline.Waker          // of the first stage, while it waits
	added  additions
}

func (s *inlet) Poll(w pipeline.Waker) ([]byte, error) {
	if s.source == nil {
		return nil, pipeline.ErrClosed
	}
	s.waker = nil
	chunk, err := s.added.poll(s.source, w)
	if err == pipeline.ErrPending {
		s.waker = w
	}
	return chunk, err
}

// wake has the first stage poll again. To poll the last one is not enough: a stage in
// between need not ask upstream before it was woken.
func (s *inlet) wake() {
	if w := s.waker; w != nil {
		s.waker = nil
		w.Wake()
	}
}

func (s *inlet) Close() {
	source := s.source
	if source == nil {
		return
	}
	s.source, s.waker = nil, nil
	source.Close()
}
