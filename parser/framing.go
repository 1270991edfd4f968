package parser

import "bytes"

// What the fields say about where a message ends and whether its connection lives on.
//
// The rules, of RFC 9112, sections 6 and 9.3, made strict: a message whose length two
// recipients could see differently is refused and not repaired.
//
//  1. Content-Length is given at most once and is one number. A list, or a repetition,
//     is refused even if all its numbers are the same.
//  2. Transfer-Encoding is given at most once, on HTTP/1.1, without Content-Length, and
//     is exactly "chunked".
//  3. A response to HEAD, a 1xx, a 204, a 304, and a 2xx to CONNECT end with their head,
//     whatever their fields declare.
//  4. Otherwise a chunked message ends after its last chunk and trailer section, and
//     one with a Content-Length after so many bytes.
//  5. Otherwise a request has no content, and a response ends with its connection.

// framing collects what the fields of one head say, a field line at a time.
type framing struct {
	length         int64 // -1: no Content-Length
	host           int   // index of the Host field, -1: none
	chunked        bool
	close          bool
	keepAlive      bool
	upgrade        bool
	expectContinue bool
	badExpectation bool
}

// persistent is the rule of RFC 9112, section 9.3.
func (f *framing) persistent(minor uint8) bool {
	return !f.close && (minor > 0 || f.keepAlive)
}

// notedLengths has a bit for the length of each name that noteField knows.
const notedLengths uint64 = 1<<len("host") | 1<<len("expect") | 1<<len("connection") |
	1<<len("content-length") | 1<<len("transfer-encoding")

// noteField takes what framing needs from the last of p.head.Fields, whose value begins
// at start. Only these five names have a meaning here: Content_Length
// and the like have none.
func (p *Parser) noteField(name, value []byte, start int) error {
	switch len(name) {
	case len("host"):
		if name[0]|0x20 == 'h' && equalFold(name, "host") {
			return p.noteHost(start)
		}
	case len("expect"):
		if name[0]|0x20 == 'e' && equalFold(name, "expect") {
			p.noteExpect(value)
		}
	case len("connection"):
		if name[0]|0x20 == 'c' && equalFold(name, "connection") {
			p.noteConnection(value)
		}
	case len("content-length"):
		if name[0]|0x20 == 'c' && equalFold(name, "content-length") {
			return p.noteContentLength(value, start)
		}
	case len("transfer-encoding"):
		if name[0]|0x20 == 't' && equalFold(name, "transfer-encoding") {
			return p.noteTransferEncoding(value, start)
		}
	}
	return nil
}

func (p *Parser) noteHost(start int) error {
	if p.framing.host >= 0 && p.kind == Request {
		return p.fail(faultHosts, start)
	}
	p.framing.host = len(p.head.Fields.spans) - 1
	return nil
}

func (p *Parser) noteContentLength(value []byte, start int) error {
	if p.framing.length >= 0 {
		return p.fail(faultLengths, start)
	}
	if p.framing.chunked {
		return p.fail(faultLengthAndCoding, start)
	}
	length, ok := decimal(value)
	if !ok {
		return p.fail(faultLength, start)
	}
	p.framing.length = length
	return nil
}

// decimal reads a Content-Length of at most 19 digits that is below 2^63.
func decimal(value []byte) (int64, bool) {
	if len(value) == 0 || len(value) > len("9223372036854775807") {
		return 0, false
	}
	var number uint64 // 19 digits stay below 2^64
	for _, c := range value {
		if !isDigit(c) {
			return 0, false
		}
		number = number*10 + uint64(c-'0')
	}
	return int64(number), number < 1<<63
}

func (p *Parser) noteTransferEncoding(value []byte, start int) error {
	switch {
	case p.framing.chunked:
		return p.fail(faultCodings, start)
	case p.framing.length >= 0:
		return p.fail(faultLengthAndCoding, start)
	case p.minor == 0:
		return p.fail(faultCodingVersion, start)
	case equalFold(value, "chunked"):
		p.framing.chunked = true
		return nil
	case endsInChunked(value):
		return p.fail(faultCodingUnknown, start)
	}
	return p.fail(faultCoding, start)
}

// endsInChunked reports whether value is a list of well-named codings of which the
// last, and no other, is chunked. Parameters are not looked into.
func endsInChunked(value []byte) bool {
	if bytes.HasSuffix(value, []byte(",")) {
		return false
	}
	for len(value) > 0 {
		var coding []byte
		coding, value = listElement(value)
		if equalFold(coding, "chunked") {
			return len(value) == 0
		}
		end := tokenEnd(coding, 0)
		if end == 0 || end < len(coding) && coding[end] != ';' && !isOWS(coding[end]) {
			return false
		}
	}
	return false
}

// noteConnection reads the options of one Connection field line (RFC 9110, section
// 7.6.1). HTTP/1.0 knows no upgrade (section 7.8).
func (p *Parser) noteConnection(value []byte) {
	f := &p.framing
	for len(value) > 0 {
		var option []byte
		option, value = listElement(value)
		switch {
		case equalFold(option, "keep-alive"):
			f.keepAlive = true
		case equalFold(option, "close"):
			f.close = true
		case equalFold(option, "upgrade"):
			f.upgrade = p.minor > 0
		}
	}
}

// noteExpect reads the expectations of one Expect field line (RFC 9110, section
// 10.1.1). In HTTP/1.0, 100-continue means nothing.
func (p *Parser) noteExpect(value []byte) {
	f := &p.framing
	for len(value) > 0 {
		var expectation []byte
		expectation, value = listElement(value)
		switch {
		case equalFold(expectation, "100-continue"):
			f.expectContinue = p.minor > 0
		case len(expectation) > 0:
			f.badExpectation = true
		}
	}
}

// A bodyless answer ends with its head, whatever its fields declare.
func (p *Parser) bodylessAnswer() bool {
	status := p.head.Status
	return status < 200 || status == 204 || status == 304 ||
		p.answered == answeredHEAD || p.answered == answeredCONNECT && status < 300
}

// beginBody decides from the head how the content is framed.
func (p *Parser) beginBody() {
	switch {
	case p.kind == Response && p.bodylessAnswer():
		p.phase = phaseEnd
	case p.head.Chunked:
		p.phase = phaseChunked
		p.chunk = chunkSizeFirst
		p.overhead = 0
	case p.head.ContentLength > 0:
		p.phase = phaseCounted
		p.remaining = p.head.ContentLength
	case p.head.ContentLength == 0 || p.kind == Request:
		p.phase = phaseEnd
	default:
		p.phase = phaseUntilClose
		p.head.KeepAlive = false
	}
}
