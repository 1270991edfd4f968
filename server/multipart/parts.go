package multipart

import (
	"io"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// A Part is one entry of a form: a field's value or a file. Its strings are slices of one immutable string, the head of
// the part, and valid for ever.
type Part struct {
	// Name is the name of the form's field that the part belongs to, and FileName the name that the client has given
	// the file. File says whether the part is a file, that is whether it has a filename parameter at all: a browser
	// sends an empty one, and no content, for a choice of files that was left empty.
	//
	// What browsers write as %22, %0D and %0A is a quotation mark, CR and LF here (WHATWG HTML, section 4.10.21.8).
	// Both names are what the client likes them to be: for a file of one's own see SafeFileName.
	Name     string
	FileName string
	File     bool

	// Type is the Content-Type of the part, text/plain if the client has sent none (RFC 7578, section 4.4).
	Type string

	// Fields are the fields of the part's head, in their order, as sent. Values are valid as fields of a message are:
	// without control characters other than tab.
	Fields []server.Field

	// Body gives the content. It belongs to the source that has given the part, and need not be closed; once that is
	// polled again it ends with ErrPartOver. A chunk is valid until either of them is polled again or closed.
	Body pipeline.Source[[]byte]
}

// Parts returns the parts of the form that src is, whose type is contentType: r.Body and r.Type() of a request.
//
// What is left of a part's content is skipped when the next part is polled. The stream ends with io.EOF when src has
// ended behind the last boundary, so what comes behind that is read, too. An error of src comes down unchanged, to the
// part that is being read and to the parts.
func Parts(src pipeline.Source[[]byte], contentType string, limits Limits) pipeline.Source[*Part] {
	p := &parts{src: src}
	boundary, err := boundaryOf(contentType)
	if err != nil {
		p.end = err
		return p
	}
	p.scanner.init(boundary, limits.withDefaults())
	return p
}

// maxSteps is how many pieces of the form are looked at in one Poll without handing something on.
const maxSteps = 64

// parts is the source of the parts, and what their bodies read from. Owned by the loop goroutine. src is polled only
// when the scanner's input is used up, so that nothing is left of a chunk that is not valid any more.
type parts struct {
	src     pipeline.Source[[]byte] // nil once closed
	end     error                   // what every further Poll returns, nil while the stream goes on
	scanner scanner
	body    *body // of the part that was given last, nil once it has ended
}

func (p *parts) Poll(w pipeline.Waker) (*Part, error) {
	p.endBody(ErrPartOver)
	for range maxSteps {
		if p.end != nil {
			return nil, p.end
		}
		found, head, err := p.scanner.next()
		switch {
		case err != nil:
			p.end = err
		case found == hasHead:
			return p.part(string(head))
		case found == needsMore && !p.feed(w):
			return nil, pipeline.ErrPending
		}
	}
	w.Wake()
	return nil, pipeline.ErrPending
}

func (p *parts) part(head string) (*Part, error) {
	part, err := parseHead(head)
	if err != nil {
		p.end = err
		return nil, err
	}
	p.body = &body{parts: p}
	part.Body = p.body
	return part, nil
}

// feed gives the scanner the next chunk, or ends the stream. It returns false if there is neither yet.
func (p *parts) feed(w pipeline.Waker) bool {
	chunk, err := p.src.Poll(w)
	switch err {
	case nil:
		p.scanner.input = chunk
		return true
	case pipeline.ErrPending:
		return false
	case io.EOF:
		if cut := p.scanner.finish(); cut != nil {
			err = cut
		}
	}
	p.end = err
	p.endBody(err)
	return true
}

func (p *parts) endBody(end error) {
	if b := p.body; b != nil {
		p.body = nil
		b.parts, b.end = nil, end
	}
}

// Close closes src. The part that was being read has ended.
func (p *parts) Close() {
	src := p.src
	if src == nil {
		return
	}
	p.src = nil
	if p.end == nil {
		p.end = pipeline.ErrClosed
	}
	p.endBody(pipeline.ErrClosed)
	p.scanner = scanner{}
	src.Close()
}

// body is the content of one part.
type body struct {
	parts *parts // nil once it has ended
	end   error
}

func (b *body) Poll(w pipeline.Waker) ([]byte, error) {
	for range maxSteps {
		p := b.parts
		if p == nil {
			return nil, b.end
		}
		found, content, _ := p.scanner.next() // within a part nothing is malformed
		switch {
		case found == hasContent:
			return content, nil
		case found == contentEnds:
			p.endBody(io.EOF)
		case !p.feed(w):
			return nil, pipeline.ErrPending
		}
	}
	w.Wake()
	return nil, pipeline.ErrPending
}

// Close says that the rest is not wanted.
func (b *body) Close() {
	if p := b.parts; p != nil {
		p.endBody(pipeline.ErrClosed)
	}
}
