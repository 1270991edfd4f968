package multipart

import (
	"io"

	"github.com/penstock-go/penstock/pipeline"
)

// A Value is one entry of a form with its content. Its Body has ended.
type Value struct {
	*Part
	Content []byte
}

// Values are the entries of a form in their order.
type Values []Value

// Get returns the content of the first entry of this name that is not a file, or "".
func (v Values) Get(name string) string {
	for _, value := range v {
		if value.Name == name && !value.File {
			return string(value.Content)
		}
	}
	return ""
}

// Form returns all entries of the form that src is as one value, and then ends. It is for forms that are small: heads
// and contents together may have as many bytes as Limits.Form says, and memory grows with what came. What [Parts] says
// of src and contentType holds.
func Form(src pipeline.Source[[]byte], contentType string, limits Limits) pipeline.Source[Values] {
	limits = limits.withDefaults()
	return &form{parts: Parts(src, contentType, limits), limit: limits.Form, values: Values{}}
}

// form is the source that Form returns. Owned by the loop goroutine.
type form struct {
	parts  pipeline.Source[*Part] // nil once closed
	end    error
	limit  int
	size   int // bytes of values
	values Values
	inPart bool // the last of values is not whole
}

func (f *form) Poll(w pipeline.Waker) (Values, error) {
	for range maxSteps {
		if f.end != nil {
			return nil, f.end
		}
		var err error
		if f.inPart {
			err = f.pollContent(w)
		} else {
			err = f.pollPart(w)
		}
		switch {
		case err == pipeline.ErrPending:
			return nil, err
		case err == io.EOF:
			f.end = err
			return f.take(), nil
		case err != nil:
			f.end = err
			f.take()
		}
	}
	w.Wake()
	return nil, pipeline.ErrPending
}

func (f *form) pollPart(w pipeline.Waker) error {
	part, err := f.parts.Poll(w)
	if err != nil {
		return err
	}
	f.values = append(f.values, Value{Part: part, Content: []byte{}})
	f.inPart = true
	for _, field := range part.Fields {
		f.size += len(field.Name) + len(field.Value)
	}
	return f.check()
}

func (f *form) pollContent(w pipeline.Waker) error {
	last := &f.values[len(f.values)-1]
	chunk, err := last.Body.Poll(w)
	if err == io.EOF {
		f.inPart = false
		return nil
	}
	if err != nil {
		return err
	}
	f.size += len(chunk)
	if err := f.check(); err != nil {
		return err
	}
	last.Content = append(last.Content, chunk...)
	return nil
}

func (f *form) check() error {
	if f.size > f.limit {
		return overLimit("the form", f.limit)
	}
	return nil
}

// take hands over what has come so far and forgets it.
func (f *form) take() Values {
	taken := f.values
	f.values = nil
	return taken
}

func (f *form) Close() {
	parts := f.parts
	if parts == nil {
		return
	}
	f.parts = nil
	if f.end == nil {
		f.end = pipeline.ErrClosed
	}
	f.take()
	parts.Close()
}
