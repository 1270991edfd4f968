package parser

import "github.com/valyala/bytebufferpool"

// A section is a run of lines: a head, or a trailer section. It is scanned where it lies
// in the input. If the input ends first, what there is of it moves to a pooled buffer,
// and is scanned on there when more has come.
//
//	request:   method ─▶ target ─▶ version ─▶ lines
//	response:  version ─▶ status ─▶ reason ─▶ first LF ─▶ lines
//	lines:     start ─┬─▶ name ─▶ value ─▶ LF ─▶ start
//	                  └─▶ last LF ─▶ complete
//
// The rules:
//
//  1. All positions count from the section's first byte, so they mean the same byte
//     before and after the move.
//  2. position only grows: a byte before it is not looked at again to find the end of
//     what it belongs to.
//  3. No byte beyond the limit is scanned or kept, so that a section breaks its limit at
//     the same byte however it was cut.
type section struct {
	buffer    *bytebufferpool.ByteBuffer // nil while the section lies in the input
	position  int                        // the next byte to look at
	mark      int                        // where the element begins that position is in
	colon     int                        // where the name of the field line ends that position is in
	linesLeft int                        // how many field lines may still come, trailers included

	methodEnd int // of a request's method
	targetEnd int // of a request's target
	reasonEnd int // of a response's reason phrase
	status    int
	major     uint8
	minor     uint8
	state     lineState

	resumedHead int32 // length of the head before the place where Resume went on; else 0
}

type lineState uint8

const (
	inMethod lineState = iota
	inTarget
	inVersion
	inStatus
	inReason
	atFirstLF
	atLineStart
	inName
	inValue
	atLF
	atLastLF
)

// outcome is how a scan of the bytes at hand ended.
type outcome uint8

const (
	incomplete outcome = iota
	complete           // position is right after the section
	refused            // p.err says why
)

// bufferStep bounds how much is copied to the buffer at a time, since what lies behind
// the section's end is copied in vain.
const bufferStep = 2 << 10

// beginHead makes the parser ready for the first byte of a head.
func (p *Parser) beginHead() {
	p.phase = phaseHead
	p.started = true
	p.position = 0
	p.linesLeft = p.limits.Fields
	p.state = inMethod
	if p.kind == Response {
		p.status = 0
		p.state = inVersion
	}
	p.framing = framing{length: -1, host: -1}
	p.head.Fields.spans = p.head.Fields.spans[:0]
	if p.trailers.raw != "" {
		p.trailers.raw = ""
		p.trailers.spans = p.trailers.spans[:0]
	}
}

func (p *Parser) readHead() (Event, error) {
	lines, err := p.readSection(p.limits.Head)
	if lines == nil {
		return NeedData, err
	}
	if err := p.makeHead(lines); err != nil {
		return NeedData, err
	}
	p.endSection()
	p.beginBody()
	return HeadReady, nil
}

// readSection scans on and returns the whole section when it is complete, with input
// then right behind it; it returns nil if more data is needed or the section is refused.
// The bytes are valid until endSection.
func (p *Parser) readSection(limit int) ([]byte, error) {
	if p.buffer != nil {
		return p.readBuffered(limit)
	}
	lines := p.input[p.next:]
	if len(lines) > limit {
		lines = lines[:limit]
	}
	switch p.scan(lines) {
	case complete:
		p.next += p.position
		return lines[:p.position], nil
	case refused:
		return nil, p.err
	}
	if len(lines) == limit {
		return nil, p.failLimit()
	}
	if len(lines) > 0 {
		p.buffer = bytebufferpool.Get()
		p.buffer.B = append(p.buffer.B, lines...)
	}
	_, err := p.needData()
	return nil, err
}

func (p *Parser) readBuffered(limit int) ([]byte, error) {
	for p.next < len(p.input) {
		step := min(len(p.input)-p.next, limit-len(p.buffer.B), bufferStep)
		p.buffer.B = append(p.buffer.B, p.input[p.next:p.next+step]...)
		p.next += step
		switch p.scan(p.buffer.B) {
		case complete:
			p.next -= len(p.buffer.B) - p.position // what is beyond the section
			return p.buffer.B[:p.position], nil
		case refused:
			return nil, p.err
		}
		if len(p.buffer.B) == limit {
			return nil, p.failLimit()
		}
	}
	_, err := p.needData()
	return nil, err
}

// endSection counts a section as consumed when nothing refers to its bytes any more.
func (p *Parser) endSection() {
	p.consumed += int64(p.position)
	p.releaseBuffer()
}

func (p *Parser) failLimit() error {
	if p.state == inTarget {
		return p.fail(faultTargetLimit, p.position)
	}
	return p.fail(faultHeadLimit, p.position)
}

// scan looks at the bytes of the section from position on. b is the whole of what there
// is of the section, and may go beyond its end.
func (p *Parser) scan(b []byte) outcome {
	if p.state < atLineStart {
		scanned := refused
		if p.kind == Request {
			scanned = p.scanRequestLine(b)
		} else {
			scanned = p.scanStatusLine(b)
		}
		if scanned != complete {
			return scanned
		}
	}
	return p.scanFieldLines(b)
}
