package parser

// Content that is moved by the kernel, from one socket to another, never comes through Feed. Its
// framing is still the parser's: Remaining says how much may be moved, Skip that it was.

// Remaining returns how many bytes of content are still to come behind what was fed, when they
// come as they are: the message has a Content-Length and all that was fed is consumed. Otherwise
// it returns 0.
func (p *Parser) Remaining() int64 {
	if p.phase != phaseCounted || p.next < len(p.input) || p.inputEnded {
		return 0
	}
	return p.remaining
}

// Skip says that n bytes of content came and went without being fed, as BodyData would have. It
// panics when n is more than Remaining.
func (p *Parser) Skip(n int64) {
	if n < 0 || n > p.Remaining() {
		panic("parser: Skip was called for bytes that are not content still to come")
	}
	p.consumed += n
	if p.remaining -= n; p.remaining == 0 {
		p.phase = phaseEnd
	}
}

// Remaining is what Remaining of the suspended parser returned.
func (s *Suspended) Remaining() int64 {
	if s.phase != phaseCounted || s.inputEnded {
		return 0
	}
	return s.remaining
}
