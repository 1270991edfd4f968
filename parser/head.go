package parser

// Head is the start line and the fields of a message, and what they mean for its
// framing and its connection.
//
// A Head is valid from HeadReady until Restart or Release of its parser. Its strings,
// and those that Fields returns, are slices of one immutable string and valid forever.
type Head struct {
	// Method and Target are the method and the request-target of a request as sent
	// (RFC 9112, section 3). Target is a path, an http or https URI, host:port with
	// CONNECT or * with OPTIONS, and consists of visible ASCII other than '#'.
	Method, Target string

	// Host is the host and port that a request is for: the authority of an
	// absolute-form or authority-form target, and otherwise the value of the Host
	// field (RFC 9112, section 3.3). It is well-formed, and may be empty.
	Host string

	// Status and Reason are those of a response, Status from 100 to 999
	// (RFC 9112, section 4).
	Status int
	Reason string

	// Minor is the minor HTTP version, 0 or 1. A message of a higher minor version
	// is read as HTTP/1.1 (RFC 9110, section 2.5).
	Minor int

	Fields Fields

	// ContentLength is the declared length of the content in bytes, -1 if none is.
	// A response to HEAD and a 304 may declare a length and have no content.
	ContentLength int64

	// Chunked reports whether the content is sent as chunks (RFC 9112, section 7.1).
	Chunked bool

	// KeepAlive reports whether the connection may be used for another message when
	// this one has ended (RFC 9112, section 9.3).
	KeepAlive bool

	// ExpectContinue reports whether the request waits for 100 (Continue) before
	// its content comes, and BadExpectation that it expects something else, to be
	// answered with 417 (RFC 9110, section 10.1.1).
	ExpectContinue, BadExpectation bool

	// Upgrade reports whether the Connection field of an HTTP/1.1 message names
	// the Upgrade field (RFC 9110, section 7.8).
	Upgrade bool
}

// makeHead fills p.head in from a complete head section whose lines have been
// scanned, and checks what could not be checked line by line. Every member that this
// kind of message has is set; setting the others too would take as long again.
func (p *Parser) makeHead(section []byte) error {
	raw := p.copyHead(section)
	h, f := &p.head, &p.framing
	h.Minor = int(p.minor)
	h.ContentLength = f.length
	h.Chunked = f.chunked
	h.KeepAlive = f.persistent(p.minor)
	h.Upgrade = f.upgrade
	if p.kind == Response {
		h.Fields.raw = raw
		h.Status = p.status
		h.Reason = raw[min(reasonStart, p.reasonEnd):p.reasonEnd]
		return nil
	}
	h.ExpectContinue = f.expectContinue
	h.BadExpectation = f.badExpectation
	method, target := raw[:p.methodEnd], raw[p.methodEnd+1:p.targetEnd]
	authority, ok := targetAuthority(method, target)
	if !ok {
		return p.fail(faultTargetForm, p.methodEnd+1)
	}
	host, err := p.hostField(raw)
	if err != nil {
		return err
	}
	if authority != "" {
		host = authority
	}
	// One after another, these share one check for a write barrier.
	h.Fields.raw, h.Method, h.Target, h.Host = raw, method, target, host
	return nil
}

// Heads that came together are copied together: one allocation serves as many as fit in
// aheadLimit bytes, which is also what a string that is kept can hold in memory beyond
// its own head.
const aheadLimit = 1 << 10

// copyHead makes the immutable copy of a head section that is complete.
func (p *Parser) copyHead(section []byte) string {
	if p.buffer != nil || p.kind == Response {
		return string(section)
	}
	start := p.next - len(section)
	if at := start - p.aheadStart; p.ahead != "" && at+len(section) <= len(p.ahead) {
		return p.ahead[at : at+len(section)]
	}
	waiting := min(len(p.input)-start, aheadLimit)
	if waiting < 2*len(section) || p.framing.chunked || p.framing.length > 0 {
		return string(section)
	}
	p.aheadStart, p.ahead = start, string(p.input[start:start+waiting])
	return p.ahead[:len(section)]
}

// hostField returns the value of the Host field, which HTTP/1.1 requires (RFC 9112,
// section 3.2).
func (p *Parser) hostField(raw string) (string, error) {
	if p.framing.host < 0 {
		if p.minor > 0 {
			return "", p.fail(faultNoHost, p.position)
		}
		return "", nil
	}
	s := p.head.Fields.spans[p.framing.host]
	host := raw[s.valueStart:s.valueEnd]
	if !p.knownHost.valid(host) {
		return "", p.fail(faultHost, int(s.valueStart))
	}
	return host, nil
}
