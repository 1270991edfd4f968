package parser

// chunkState is where the parser is in the chunked framing (RFC 9112, section 7.1):
//
//	size first ─▶ size ─┬──────────────┬─▶ size LF ─┬─▶ data ─▶ data CR ─▶ data LF ─▶ size first
//	                    └▶ (space ─▶) extension ┘   └─▶ trailer section, after size 0
//
// Framing is read a byte at a time and nothing of it is kept, so it can be cut anywhere.
// Each byte of it counts as overhead before it is looked at.
type chunkState uint8

const (
	chunkSizeFirst chunkState = iota
	chunkSize
	chunkSpace
	chunkExtension
	chunkSizeLF
	chunkData
	chunkDataCR
	chunkDataLF
)

// overheadAllowed is how many bytes of framing each byte of data pays for. A chunk with
// one byte of data has five.
const overheadAllowed = 4

// readChunked reads a chunked body up to its trailer section, and then goes on with that.
func (p *Parser) readChunked() (Event, error) {
	for p.next < len(p.input) {
		if p.chunk == chunkData {
			p.overhead -= overheadAllowed * int64(p.takeData())
			if p.remaining == 0 {
				p.chunk = chunkDataCR
			}
			return BodyData, nil
		}
		if p.overhead == int64(p.limits.ChunkOverhead) {
			return NeedData, p.fail(faultChunkOverhead, 0)
		}
		p.overhead++
		if f := p.chunkFraming(p.input[p.next]); f != faultNone {
			return NeedData, p.fail(f, 0)
		}
		p.consume(1)
		if p.chunk == chunkData && p.remaining == 0 {
			p.beginTrailers()
			return p.readTrailers()
		}
	}
	return p.needData()
}

// chunkFraming goes on by one byte of framing and returns what is wrong with it.
func (p *Parser) chunkFraming(c byte) fault {
	switch p.chunk {
	case chunkSizeFirst: // remaining is 0: all of the chunk before has been handed out
		p.chunk = chunkSize
		return p.chunkSizeDigit(c)
	case chunkSize:
		if c == '\r' || c == ';' || isOWS(c) {
			return p.endChunkSize(c)
		}
		return p.chunkSizeDigit(c)
	case chunkSpace:
		if c != ';' && !isOWS(c) {
			return faultChunkSizeLine
		}
		return p.endChunkSize(c)
	case chunkExtension:
		switch {
		case c == '\r':
			p.chunk = chunkSizeLF
		case c == '\n':
			return faultBareLF
		case classes[c]&classText == 0:
			return faultChunkExtension
		}
	case chunkSizeLF:
		p.chunk = chunkData
		return lineFeed(c)
	case chunkDataCR:
		if c != '\r' {
			return faultChunkEnd
		}
		p.chunk = chunkDataLF
	case chunkDataLF:
		p.chunk = chunkSizeFirst
		return lineFeed(c)
	}
	return faultNone
}

// endChunkSize goes on with what c begins, a byte that may follow a chunk size.
func (p *Parser) endChunkSize(c byte) fault {
	switch c {
	case '\r':
		p.chunk = chunkSizeLF
	case ';':
		p.chunk = chunkExtension
	default:
		p.chunk = chunkSpace
	}
	return faultNone
}

func (p *Parser) chunkSizeDigit(c byte) fault {
	digit, ok := hexadecimal(c)
	switch {
	case c == '\n' && p.chunk == chunkSize:
		return faultBareLF
	case !ok:
		return faultChunkSize
	case p.remaining >= 1<<59:
		return faultChunkSizeOverflow
	}
	p.remaining = p.remaining<<4 | int64(digit)
	return faultNone
}

func lineFeed(c byte) fault {
	if c != '\n' {
		return faultBareCR
	}
	return faultNone
}
