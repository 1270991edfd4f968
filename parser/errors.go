package parser

import "strconv"

// Error says why a message was refused. No byte of the message is repeated in it.
type Error struct {
	kind     Kind
	status   int
	sentence string
	offset   int64
	cause    error
}

// Status returns the status to answer with: for a request 400, 414, 431, 501 or 505;
// for a response always 502, since it is an upstream that failed.
func (e *Error) Status() int { return e.status }

// Public returns what was wrong and what was expected, as a sentence that is fit to
// be shown to the peer.
func (e *Error) Public() string { return e.sentence }

// Offset returns where the error was noticed, in bytes from the end of the message
// before it (so leading empty lines count).
func (e *Error) Offset() int64 { return e.offset }

// Unwrap returns io.ErrUnexpectedEOF when the message was cut off, and otherwise nil.
func (e *Error) Unwrap() error { return e.cause }

// Error returns the public sentence with the place where it was noticed.
func (e *Error) Error() string {
	name := "request"
	if e.kind == Response {
		name = "response"
	}
	return "parser: byte " + strconv.FormatInt(e.offset, 10) + " of the " + name + ": " + e.sentence
}

// A fault is one way in which a message can be wrong.
type fault uint8

const (
	faultNone fault = iota
	faultCutOff
	faultEmptyLines
	faultEmptyMethod
	faultMethod
	faultEmptyTarget
	faultTarget
	faultTargetLimit
	faultTargetForm
	faultNoVersion
	faultVersion
	faultVersionUnsupported
	faultStatusLine
	faultReason
	faultFold
	faultEmptyName
	faultNameSpace
	faultNoColon
	faultName
	faultValue
	faultBareLF
	faultBareCR
	faultHeadLimit
	faultFieldsLimit
	faultNoHost
	faultHosts
	faultHost
	faultLength
	faultLengths
	faultLengthAndCoding
	faultCodings
	faultCoding
	faultCodingUnknown
	faultCodingVersion
	faultChunkSize
	faultChunkSizeOverflow
	faultChunkExtension
	faultChunkSizeLine
	faultChunkEnd
	faultChunkOverhead
)

type faultText struct {
	status   int
	sentence string
}

// faultTexts is read only.
var faultTexts = [...]faultText{
	faultCutOff:             {400, "The message ends before it is complete."},
	faultEmptyLines:         {400, "More than 4 empty lines come before the request line."},
	faultEmptyMethod:        {400, "The request line begins with a space; a method was expected."},
	faultMethod:             {400, "The method has a character that a token must not have; letters and then one space were expected."},
	faultEmptyTarget:        {400, "The request target is empty; exactly one space and then a target were expected after the method."},
	faultTarget:             {400, "The request target has a character that must be percent-encoded; visible ASCII without '#' was expected."},
	faultTargetLimit:        {414, "The request target is longer than is accepted."},
	faultTargetForm:         {400, "The request target does not fit its method; a path, an http or https URI, host:port with CONNECT or * with OPTIONS was expected."},
	faultNoVersion:          {400, "The request line has no HTTP version; HTTP/1.1 was expected after the target."},
	faultVersion:            {400, "The HTTP version is malformed; HTTP/1.1 and nothing else was expected there."},
	faultVersionUnsupported: {505, "The HTTP version is not supported; HTTP/1.1 or HTTP/1.0 was expected."},
	faultStatusLine:         {400, "The status line is malformed; a status code of three digits and then a space were expected."},
	faultReason:             {400, "The reason phrase has a control character; text and then CR LF were expected."},
	faultFold:               {400, "A field line begins with white space; folded lines are obsolete and a field name was expected."},
	faultEmptyName:          {400, "A field name is empty; a token was expected before the colon."},
	faultNameSpace:          {400, "White space comes before the colon of a field line; the colon was expected right after the name."},
	faultNoColon:            {400, "A field line has no colon; a name and then a colon were expected."},
	faultName:               {400, "A field name has a character that a token must not have; letters, digits and '-' and then a colon were expected."},
	faultValue:              {400, "A field value has a control character; text and then CR LF were expected."},
	faultBareLF:             {400, "A line ends with LF alone; CR LF was expected."},
	faultBareCR:             {400, "A CR is not followed by LF; CR LF was expected."},
	faultHeadLimit:          {431, "The head, or its fields with the trailer section, takes more bytes than are accepted."},
	faultFieldsLimit:        {431, "There are more field lines than are accepted."},
	faultNoHost:             {400, "The Host field is missing; HTTP/1.1 expects exactly one."},
	faultHosts:              {400, "The Host field is repeated; exactly one was expected."},
	faultHost:               {400, "The Host field is malformed; a host name or an address with an optional port was expected."},
	faultLength:             {400, "The Content-Length is malformed; a decimal number below 2^63 of at most 19 digits was expected."},
	faultLengths:            {400, "The Content-Length is repeated; at most one was expected."},
	faultLengthAndCoding:    {400, "Both Content-Length and Transfer-Encoding are given; at most one of them was expected."},
	faultCodings:            {400, "The Transfer-Encoding is repeated; at most one was expected."},
	faultCoding:             {400, "The Transfer-Encoding does not end in chunked, applied once; chunked was expected."},
	faultCodingUnknown:      {501, "The Transfer-Encoding names a coding beside chunked; only chunked is implemented."},
	faultCodingVersion:      {400, "A Transfer-Encoding is given in HTTP/1.0, which has none."},
	faultChunkSize:          {400, "A chunk size is malformed; hexadecimal digits were expected."},
	faultChunkSizeOverflow:  {400, "A chunk size is out of range; a number below 2^63 was expected."},
	faultChunkExtension:     {400, "A chunk extension has a control character; text and then CR LF were expected."},
	faultChunkSizeLine:      {400, "A chunk size is followed by something else than an extension; ';' or CR LF was expected."},
	faultChunkEnd:           {400, "A chunk is longer than its size; CR LF was expected after its data."},
	faultChunkOverhead:      {400, "The chunked framing takes far more bytes than the data in it."},
}

// fail makes the parser refuse the message from here on. at is counted from the end
// of what the parser has consumed of the message.
func (p *Parser) fail(f fault, at int) *Error {
	text := faultTexts[f]
	err := &Error{kind: p.kind, status: text.status, sentence: text.sentence, offset: p.consumed + int64(at)}
	if p.kind == Response {
		err.status = 502
	}
	p.stop(err)
	return err
}
