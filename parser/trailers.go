package parser

// beginTrailers makes the parser ready for the first byte of a trailer section
// (RFC 9112, section 7.1.2), whose lines count on top of those of the head.
func (p *Parser) beginTrailers() {
	p.phase = phaseTrailers
	p.position = 0
	p.state = atLineStart
}

func (p *Parser) readTrailers() (Event, error) {
	limit := p.limits.Head - p.headLength() + len("\r\n")
	lines, err := p.readSection(limit)
	if lines == nil {
		return NeedData, err
	}
	if len(p.trailers.spans) > 0 {
		p.trailers.raw = string(lines)
	}
	p.endSection()
	p.phase = phaseEnd
	return End, nil
}

// forbiddenTrailers are the fields that RFC 9110, section 6.5.1 keeps out of a trailer
// section: those that control framing, routing, the request, authentication, the
// response, and how the content is processed. Authentication-Info is not among them
// (section 11.6.3).
var forbiddenTrailers = [...]string{
	// framing and connection
	"connection", "content-length", "keep-alive", "proxy-connection", "te", "trailer",
	"transfer-encoding", "upgrade",
	// routing
	"forwarded", "host", "max-forwards", "via", "x-forwarded-for", "x-forwarded-host",
	"x-forwarded-proto", "x-real-ip",
	// request controls and conditions
	"cache-control", "expect", "if-match", "if-modified-since", "if-none-match",
	"if-range", "if-unmodified-since", "pragma", "range",
	// authentication and state
	"authorization", "cookie", "origin", "proxy-authenticate", "proxy-authorization",
	"set-cookie", "www-authenticate",
	// response control
	"age", "date", "expires", "location", "retry-after", "vary", "warning",
	// content
	"content-encoding", "content-language", "content-location", "content-range",
	"content-type",
}

func forbiddenTrailer(name []byte) bool {
	for _, forbidden := range forbiddenTrailers {
		if equalFold(name, forbidden) {
			return true
		}
	}
	return false
}
