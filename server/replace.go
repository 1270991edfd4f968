package server

import (
	"io"
	"iter"

	"github.com/penstock-go/penstock/pipeline"
)

// What a layer needs that answers something else in place of a response that a handler has returned.

// Discard releases what the response owns, its source, its file or what its stage owns: for a response that is not
// returned to the server, which would do so. It does nothing for one that owns nothing.
// It is called on the loop, once.
func (r Response) Discard() {
	switch r.outline.kind() {
	case kindLater:
		r.flow.extra.later.Close()
	case kindStream:
		r.flow.source.Close()
	case kindFile:
		_ = r.flow.extra.file.Close() // it was read from only
	case kindUpgrade:
		r.flow.extra.upgrade.discard()
	}
}

// Fields gives the name and value of each field that was set, in the order in which they are
// sent. The fields that belong to the server are not among them, and none of a [Fail]'s own.
func (r Response) Fields() iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		if t := r.outline.contentType(); t != "" && !yield("Content-Type", t) {
			return
		}
		var room [8]Field
		for _, f := range appendFields(room[:0], r.fields) {
			if !yield(f.Name, f.Value) {
				return
			}
		}
	}
}

// MapLater returns a [Later] whose source is what stage makes of its own, so that a layer can race it
// with a time, or look at how it fails. What the stage reads is never a Later itself: where
// one gives another, the other is read in its place. Other responses are returned as they
// are, and stage is not called.
func (r Response) MapLater(stage pipeline.Stage[Response, Response]) Response {
	if r.outline.kind() != kindLater {
		return r
	}
	extra := *r.flow.extra
	extra.later = stage(&followedResponse{source: extra.later})
	mapped := r
	mapped.flow = withExtra(-1, extra)
	return mapped
}

// followedResponse gives one response: that of the last of the Laters that give each other.
// Owned by the loop goroutine.
type followedResponse struct {
	source pipeline.Source[Response] // nil once closed
	end    error
}

func (s *followedResponse) Poll(w pipeline.Waker) (Response, error) {
	for range maxFollowed {
		if s.end != nil {
			return Response{}, s.end
		}
		r, err := s.source.Poll(w)
		switch {
		case err == pipeline.ErrPending:
			return Response{}, err
		case err != nil:
			s.end = err
		case r.outline.kind() != kindLater:
			s.end = io.EOF
			return r, nil
		default:
			// The next one is kept before the last is closed: should that panic, it is closed too.
			last := s.source
			s.source = r.flow.extra.later
			last.Close()
		}
	}
	w.Wake() // the loop is not held by a chain of them
	return Response{}, pipeline.ErrPending
}

// maxFollowed is how many steps of a chain of Laters are taken in one Poll.
const maxFollowed = 32

func (s *followedResponse) Close() {
	if s.end == nil {
		s.end = pipeline.ErrClosed
	}
	if source := s.source; source != nil {
		s.source = nil
		source.Close()
	}
}
