package parser

import (
	"io"
	"math"

	"github.com/valyala/bytebufferpool"
)

// The states of a message:
//
//	between ─▶ head ─┬─▶ end                      no content
//	   ▲             ├─▶ counted ─────▶ end       Content-Length
//	   │             ├─▶ until close ─▶ end       a response without a length
//	   │             └─▶ chunked ─▶ trailers ─▶ end
//	   └── Restart ─────────────────────────┘
//
// and from everywhere to stopped, which is left by Release only. The rules:
//
//  1. Input is consumed from its front only, and NeedData means all of it is consumed:
//     then nothing of it is referred to any more.
//  2. What a byte does depends on the bytes of the message before it and on nothing else.
//     In particular it does not depend on where the input was cut.
//  3. Only Restart leaves end: a message that nobody asked for is not looked at.
//
// Within a head and a trailer section the state is finer, see section.go; within chunked
// framing see chunked.go.
type phase uint8

const (
	phaseBetween phase = iota
	phaseHead
	phaseCounted
	phaseUntilClose
	phaseChunked
	phaseTrailers
	phaseEnd
	phaseStopped
)

// answered is what a response's framing must know of its request.
type answered uint8

const (
	answeredOther answered = iota
	answeredHEAD
	answeredCONNECT
)

// Parser reads the messages of one direction of one connection. The zero value is ready
// after Init. It must not be copied while in use, and is used by one goroutine at a time.
type Parser struct {
	limits   *Limits
	input    []byte // as fed
	next     int    // index in input of the first byte that is not consumed
	data     int    // how many bytes before next are the data of the last BodyData
	err      error  // in phaseStopped
	consumed int64  // bytes of the message before next, or before the section being read

	kind       Kind
	phase      phase
	answered   answered
	inputEnded bool
	started    bool // a byte of the message's head was looked at

	emptyLine  bool  // between: the CR of an empty line was seen
	emptyLines uint8 // between: how many were skipped

	chunk     chunkState
	overhead  int64 // chunked: framing bytes minus 4 for each byte of data
	remaining int64 // counted, chunked: bytes of data still to come

	section
	framing    framing
	ahead      string // immutable copy of input from aheadStart on, see copyHead
	aheadStart int
	head       Head
	trailers   Fields
	knownHost  knownHost
}

// Init makes p ready to read messages of a kind. limits are kept by reference when they
// are resolved (see Limits.WithDefaults) and may be nil for the defaults.
func (p *Parser) Init(kind Kind, limits *Limits) {
	*p = Parser{kind: kind, limits: resolve(limits)}
}

// Feed lends data until Next has returned NeedData or an error, or until the next Feed.
// It takes the place of what Rest returns: a caller that needs its memory back earlier
// feeds a copy of Rest instead. It must not be called after FeedEOF.
func (p *Parser) Feed(data []byte) {
	p.input, p.next, p.data = data, 0, 0
	if p.ahead != "" {
		p.ahead = ""
	}
}

// FeedEOF says that the peer sends no more than what was fed. It ends the content of a
// response that has no declared length. In an unfinished message Next then returns an
// Error that wraps io.ErrUnexpectedEOF, and between two messages io.EOF.
func (p *Parser) FeedEOF() { p.inputEnded = true }

// Next returns the next event of the message. Its error is io.EOF when the peer has
// ended between two messages, and otherwise an *Error; it is returned again by every
// later call until Release.
func (p *Parser) Next() (Event, error) {
	p.data = 0
	switch p.phase {
	case phaseBetween:
		if !p.skipEmptyLines() {
			return NeedData, p.err
		}
		p.beginHead()
		return p.readHead()
	case phaseHead:
		return p.readHead()
	case phaseCounted, phaseUntilClose:
		return p.readData()
	case phaseChunked:
		return p.readChunked()
	case phaseTrailers:
		return p.readTrailers()
	case phaseEnd:
		return End, nil
	}
	return NeedData, p.err // phaseStopped
}

// Head returns the head of the message, valid from HeadReady until Restart or Release.
func (p *Parser) Head() *Head { return &p.head }

// Data returns the content that the last Next announced with BodyData: a slice of what
// was fed, valid until the next call of Next or Feed. It is nil after any other event.
func (p *Parser) Data() []byte {
	if p.data == 0 {
		return nil
	}
	return p.input[p.next-p.data : p.next : p.next]
}

// Trailers returns the fields of the trailer section, complete at End and valid until
// Restart or Release. They must not be merged into the fields of the head unless their
// definition allows it (RFC 9110, section 6.5.1).
func (p *Parser) Trailers() *Fields { return &p.trailers }

// Rest returns the bytes that were fed and are not consumed: after End those of the next
// message, or of the next protocol after an upgrade. They are lent as by Feed.
func (p *Parser) Rest() []byte { return p.input[p.next:] }

// Started reports whether a byte of the message's head has been looked at and Restart
// has not been called since. Empty lines before a request do not count.
func (p *Parser) Started() bool { return p.started }

// Idle reports whether nothing at all has been looked at since the last message ended,
// not even a part of an empty line: then the parser may be given up for a new one.
func (p *Parser) Idle() bool {
	return p.phase == phaseBetween && !p.emptyLine && p.emptyLines == 0
}

// Restart goes on to the next message. It may be called after End only and panics
// otherwise.
func (p *Parser) Restart() {
	if p.phase != phaseEnd {
		panic("parser: Restart was called before End; a message must end before the next one begins")
	}
	if p.kind == Response && p.head.Status >= 200 {
		p.answered = answeredOther
	}
	p.phase = phaseBetween
	p.started = false
	p.resumedHead = 0
	p.consumed = 0
	p.emptyLines = 0
}

// Release gives pooled memory back and drops all references to what was fed and read.
// The parser is then as after Init with the same kind and limits.
func (p *Parser) Release() {
	p.releaseBuffer()
	p.head.Fields.release()
	p.trailers.release()
	*p = Parser{
		kind:      p.kind,
		limits:    p.limits,
		head:      Head{Fields: p.head.Fields},
		trailers:  p.trailers,
		knownHost: p.knownHost,
	}
}

// AnswerTo tells a parser of responses the method of the request that the next response
// answers: a response to HEAD has no content, and neither has a 2xx to CONNECT, after
// which Rest is what came through the tunnel. It is called before the head is fed, holds
// for interim (1xx) responses and the final one after them, and need not be called for
// any other method. An interim response ends at once: call Restart for the one after it.
func (p *Parser) AnswerTo(method string) {
	switch method {
	case "HEAD":
		p.answered = answeredHEAD
	case "CONNECT":
		p.answered = answeredCONNECT
	default:
		p.answered = answeredOther
	}
}

// skipEmptyLines skips the empty lines before a request (RFC 9112, section 2.2) and
// reports whether input begins with a message.
func (p *Parser) skipEmptyLines() bool {
	for p.next < len(p.input) {
		switch c := p.input[p.next]; {
		case p.emptyLine && c != '\n':
			p.fail(faultBareCR, 0)
			return false
		case p.emptyLine:
			p.emptyLine = false
			p.emptyLines++
		case c != '\r' || p.kind == Response:
			return true
		case p.emptyLines == maximumEmptyLines:
			p.fail(faultEmptyLines, 0)
			return false
		default:
			p.emptyLine = true
		}
		p.consume(1)
	}
	p.input, p.next = nil, 0
	if p.inputEnded {
		p.stop(io.EOF)
	}
	return false
}

// readData hands out what has come of content without framing of its own.
func (p *Parser) readData() (Event, error) {
	if p.next == len(p.input) {
		if p.inputEnded && p.phase == phaseUntilClose {
			p.remaining = 0
			p.phase = phaseEnd
			return End, nil
		}
		return p.needData()
	}
	if p.phase == phaseUntilClose {
		p.remaining = math.MaxInt64
	}
	if p.takeData(); p.remaining == 0 {
		p.phase = phaseEnd
	}
	return BodyData, nil
}

// takeData makes what there is of the remaining data that of a BodyData event, and
// returns how many bytes that is.
func (p *Parser) takeData() int {
	n := len(p.input) - p.next
	if int64(n) > p.remaining {
		n = int(p.remaining)
	}
	p.data = n
	p.remaining -= int64(n)
	p.consume(n)
	return n
}

func (p *Parser) consume(n int) {
	p.next += n
	p.consumed += int64(n)
}

// needData is the answer when input is used up within a message.
func (p *Parser) needData() (Event, error) {
	p.input, p.next = nil, 0
	if p.inputEnded {
		return NeedData, p.failCutOff()
	}
	return NeedData, nil
}

// failCutOff refuses a message that the peer did not finish.
func (p *Parser) failCutOff() error {
	at := 0
	if p.phase == phaseHead || p.phase == phaseTrailers {
		at = p.position
	}
	err := p.fail(faultCutOff, at)
	err.cause = io.ErrUnexpectedEOF
	return err
}

// stop ends the parser with an error that every later Next returns.
func (p *Parser) stop(err error) {
	p.err = err
	p.phase = phaseStopped
	p.input, p.next = nil, 0
	p.releaseBuffer()
}

func (p *Parser) releaseBuffer() {
	if p.buffer != nil {
		bytebufferpool.Put(p.buffer)
		p.buffer = nil
	}
}
