package parser

// scanFieldLines scans field lines (RFC 9112, section 5) up to and including the empty
// line that ends them. Its states follow each other in the order in which they stand
// here, so that a line that is there whole passes them without a jump back.
func (p *Parser) scanFieldLines(b []byte) outcome {
	i, mark, colon := p.position, p.mark, p.colon
	state := p.state
scan:
	for {
		switch state {
		case atLineStart:
			if i == len(b) {
				break scan
			}
			if b[i] == '\r' {
				i, state = i+1, atLastLF
				continue
			}
			if p.linesLeft--; p.linesLeft < 0 {
				return p.refuse(faultFieldsLimit, i)
			}
			mark, state = i, inName
			fallthrough
		case inName:
			i = tokenEnd(b, i)
			if i == len(b) {
				break scan
			}
			if b[i] != ':' || i == mark {
				return p.refuseName(b[i], mark, i)
			}
			colon, i, state = i, i+1, inValue
			fallthrough
		case inValue:
			i = textEnd(b, i)
			if i == len(b) {
				break scan
			}
			if b[i] != '\r' {
				return p.refuseValue(b[i], i)
			}
			i, state = i+1, atLF
			fallthrough
		case atLF, atLastLF:
			if i == len(b) {
				break scan
			}
			if b[i] != '\n' {
				return p.refuse(faultBareCR, i)
			}
			i++
			if state == atLastLF {
				p.position = i
				return complete
			}
			if p.endFieldLine(b, mark, colon, i-len("\r\n")) != nil {
				return refused
			}
			state = atLineStart
		}
	}
	p.position, p.mark, p.colon, p.state = i, mark, colon, state
	return incomplete
}

// endFieldLine keeps a field line whose name begins at nameStart and whose value ends,
// with the white space around it, at end.
func (p *Parser) endFieldLine(b []byte, nameStart, nameEnd, end int) error {
	start := nameEnd + 1
	for start < end && isOWS(b[start]) {
		start++
	}
	for start < end && isOWS(b[end-1]) {
		end--
	}
	s := span{uint32(nameStart), uint32(nameEnd), uint32(start), uint32(end)}
	if p.phase == phaseTrailers {
		if !forbiddenTrailer(b[nameStart:nameEnd]) {
			p.trailers.spans = append(p.trailers.spans, s)
		}
		return nil
	}
	p.head.Fields.spans = append(p.head.Fields.spans, s)
	if notedLengths>>uint(nameEnd-nameStart)&1 == 0 {
		return nil
	}
	return p.noteField(b[nameStart:nameEnd], b[start:end], start)
}

// refuseName says what is wrong with the byte at i, where a name from mark on ends.
func (p *Parser) refuseName(c byte, mark, i int) outcome {
	switch {
	case isOWS(c) && i == mark:
		return p.refuse(faultFold, i)
	case isOWS(c):
		return p.refuse(faultNameSpace, i)
	case c == ':':
		return p.refuse(faultEmptyName, i)
	case c == '\n' && i == mark:
		return p.refuse(faultBareLF, i)
	case c == '\r' || c == '\n':
		return p.refuse(faultNoColon, i)
	}
	return p.refuse(faultName, i)
}

func (p *Parser) refuseValue(c byte, i int) outcome {
	if c == '\n' {
		return p.refuse(faultBareLF, i)
	}
	return p.refuse(faultValue, i)
}
