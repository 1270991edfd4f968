package parser

// A message whose content comes over hours, in pieces that are far apart, needs little of its
// parser between two of them: where it is in the framing. That is what a Suspended holds, so
// that the parser can read other messages meanwhile.

// Suspended is a place in the content of a message, from [Parser.Suspend] to [Parser.Resume]. It
// refers to nothing. The zero value is no place.
type Suspended struct {
	consumed   int64
	remaining  int64
	overhead   int64
	headLength int32 // bytes, which count against the limit of the trailer section
	linesLeft  int32
	status     int16
	phase      phase
	chunk      chunkState
	minor      uint8
	keepAlive  bool
	inputEnded bool
}

// Suspend returns the place in the content of the message that p has come to. It reports false,
// with nothing changed, unless HeadReady was returned, End was not, all that was fed is consumed, and no
// trailer section has begun. On true p is to be released: its Head is not needed any more by who goes on
// with Resume.
func (p *Parser) Suspend() (s Suspended, ok bool) {
	inContent := p.phase == phaseCounted || p.phase == phaseUntilClose || p.phase == phaseChunked
	if !inContent || p.next < len(p.input) {
		return s, false
	}
	return Suspended{
		consumed:   p.consumed,
		remaining:  p.remaining,
		overhead:   p.overhead,
		headLength: int32(p.headLength()), // a head is at most maximumHead long
		linesLeft:  int32(min(p.linesLeft, maximumHead)),
		status:     int16(p.head.Status),
		phase:      p.phase,
		chunk:      p.chunk,
		minor:      p.minor,
		keepAlive:  p.head.KeepAlive,
		inputEnded: p.inputEnded,
	}, true
}

// Resume has p, which is as after Init or Release and of the kind and limits of the parser that was
// suspended, go on at the place s: what Next returns is what that parser would have returned. Of
// Head only Status, Minor and KeepAlive are there. It panics when s is the zero value, and when p
// has been fed or is not between two messages.
func (p *Parser) Resume(s Suspended) {
	if s.phase == phaseBetween || p.phase != phaseBetween || p.started || p.input != nil {
		panic("parser: Resume needs a place that Suspend has returned, and a parser as after Init")
	}
	p.consumed, p.remaining, p.overhead = s.consumed, s.remaining, s.overhead
	p.resumedHead, p.linesLeft = s.headLength, int(s.linesLeft)
	p.phase, p.chunk, p.minor = s.phase, s.chunk, s.minor
	p.started, p.inputEnded = true, s.inputEnded
	p.head.Status, p.head.Minor, p.head.KeepAlive = int(s.status), int(s.minor), s.keepAlive
}

// headLength is how many bytes the head had, whether or not it is still there.
func (p *Parser) headLength() int { return len(p.head.Fields.raw) + int(p.resumedHead) }
