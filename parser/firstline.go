package parser

// scanRequestLine scans a request-line (RFC 9112, section 3) up to and including its
// CR LF. A line that is there whole passes the states without a jump back.
func (p *Parser) scanRequestLine(b []byte) outcome {
	i := p.position
	switch p.state {
	case inMethod:
		i = tokenEnd(b, i)
		if i == len(b) {
			return p.pause(inMethod, i)
		}
		if b[i] != ' ' || i == 0 {
			return p.refuseMethod(b[i], i)
		}
		p.methodEnd = i
		i++
		fallthrough
	case inTarget:
		// The byte at the limit decides: it must be the space.
		start := p.methodEnd + 1
		limit := start + p.limits.Target
		i = targetEnd(b[:min(len(b), limit)], i)
		if i == len(b) {
			return p.pause(inTarget, i)
		}
		if b[i] != ' ' || i == start {
			return p.refuseTarget(b[i], i == start, i == limit, i)
		}
		p.targetEnd = i
		i++
		if i >= 0 && i < len(b)-9 && word(b, i) == http11 && b[i+8] == '\r' && b[i+9] == '\n' {
			p.major, p.minor = 1, 1
			return p.advance(atLineStart, i+10)
		}
	}
	return p.scanVersion(b, i, p.targetEnd+1)
}

func (p *Parser) refuseMethod(c byte, i int) outcome {
	if c == ' ' {
		return p.refuse(faultEmptyMethod, i)
	}
	return p.refuse(faultMethod, i)
}

func (p *Parser) refuseTarget(c byte, empty, long bool, i int) outcome {
	switch {
	case c == ' ' && empty:
		return p.refuse(faultEmptyTarget, i)
	case c == '\r' || c == '\n':
		return p.refuse(faultNoVersion, i)
	case long:
		return p.refuse(faultTargetLimit, i)
	}
	return p.refuse(faultTarget, i)
}

const (
	versionLength = len("HTTP/1.1")

	// http11 is "HTTP/1.1" as a little-endian number.
	http11 = 0x31_2e_31_2f_50_54_54_48
)

// scanVersion scans from i on an HTTP-version (RFC 9112, section 2.3) that begins at
// start, with what ends it: the CR LF of a request-line, or the space of a status-line.
func (p *Parser) scanVersion(b []byte, i, start int) outcome {
	for ; i < len(b); i++ {
		c, ok := b[i], true
		switch at := i - start; at {
		case len("HTTP/"):
			p.major, ok = c-'0', isDigit(c)
		case len("HTTP/1."):
			p.minor, ok = min(c-'0', 1), isDigit(c)
		case versionLength:
			if c != '\r' && p.kind == Request || c != ' ' && p.kind == Response {
				return p.refuse(faultVersion, i)
			}
			if p.major != 1 {
				return p.refuse(faultVersionUnsupported, start)
			}
			if p.kind == Response {
				return p.advance(inStatus, i+1)
			}
		case versionLength + 1:
			if c != '\n' {
				return p.refuse(faultBareCR, i)
			}
			return p.advance(atLineStart, i+1)
		default:
			ok = c == "HTTP/1.1"[at]
		}
		if !ok {
			return p.refuse(faultVersion, i)
		}
	}
	return p.pause(inVersion, i)
}

// scanStatusLine scans a status-line (RFC 9112, section 4) up to and including its CR LF.
func (p *Parser) scanStatusLine(b []byte) outcome {
	scanned := complete
	for p.state < atLineStart && scanned == complete {
		switch p.state {
		case inStatus:
			scanned = p.scanStatus(b)
		case inReason:
			scanned = p.scanReason(b)
		case atFirstLF:
			scanned = p.scanFirstLF(b)
		default:
			scanned = p.scanVersion(b, p.position, 0)
		}
	}
	return scanned
}

// scanStatus scans a status code and the space after it. Some servers leave the space
// out when there is no reason phrase; there is no other way to read such a line.
func (p *Parser) scanStatus(b []byte) outcome {
	const start = versionLength + len(" ")
	for i := p.position; i < len(b); i++ {
		c, digits := b[i], i-start
		switch {
		case digits < 3 && isDigit(c) && (digits > 0 || c != '0'):
			p.status = p.status*10 + int(c-'0')
		case digits == 3 && c == ' ':
			return p.advance(inReason, i+1)
		case digits == 3 && c == '\r':
			p.reasonEnd = i
			return p.advance(atFirstLF, i+1)
		default:
			return p.refuse(faultStatusLine, i)
		}
	}
	return p.pause(inStatus, len(b))
}

// reasonStart is where a reason phrase begins, or where the CR is if the space before
// the phrase was left out.
const reasonStart = len("HTTP/1.1 200 ")

func (p *Parser) scanReason(b []byte) outcome {
	i := textEnd(b, p.position)
	switch {
	case i == len(b):
		return p.pause(inReason, i)
	case b[i] == '\n':
		return p.refuse(faultBareLF, i)
	case b[i] != '\r':
		return p.refuse(faultReason, i)
	}
	p.reasonEnd = i
	return p.advance(atFirstLF, i+1)
}

func (p *Parser) scanFirstLF(b []byte) outcome {
	i := p.position
	switch {
	case i == len(b):
		return incomplete
	case b[i] != '\n':
		return p.refuse(faultBareCR, i)
	}
	return p.advance(atLineStart, i+1)
}

// advance goes on with another state.
func (p *Parser) advance(state lineState, position int) outcome {
	p.state, p.position = state, position
	return complete
}

// pause keeps the place to go on from when more has come.
func (p *Parser) pause(state lineState, position int) outcome {
	p.state, p.position = state, position
	return incomplete
}

func (p *Parser) refuse(f fault, at int) outcome {
	p.fail(f, at)
	return refused
}
