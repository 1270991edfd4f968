package multipart

import (
	"bytes"
)

// Theory.
//
// A form is (RFC 2046, section 5.1.1):
//
//	[preamble CRLF] "--" boundary padding CRLF
//	head content *( CRLF "--" boundary padding CRLF head content )
//	CRLF "--" boundary "--" padding [CRLF epilogue]
//
// where head is lines up to and with an empty one. CRLF "--" boundary is the delimiter: its CRLF belongs to it and not
// to the content before. It may also be the CRLF that ends the head, or nothing at the start of the form: in both
// places the content is taken to have a CRLF in front of it, which is implied.
//
// The scanner is fed chunk by chunk, and keeps of the chunks before only the head that is not whole yet. Rules:
//
//   - Where a chunk ends within what may be a delimiter, only the number of its bytes is held: they are the first
//     bytes of the closing delimiter, which is known.
//   - A CR is in a delimiter at its start and nowhere else. So when one turns out to be none, no other can have begun
//     within it: what was held is content, and the search goes on behind it.
//   - A delimiter is followed by space, tab, CR or "--"; if not, it is content: an inner boundary may begin with ours.
//     LF counts with those four, so that it is refused and not content to one reader and a boundary to another.

// A state is what the next byte belongs to.
type state uint8

const (
	inPreamble     state = iota
	inContent            // of a part
	inPadding            // behind a delimiter
	inHead               // of a part
	inClosePadding       // behind the closing delimiter
	inEpilogue
)

// An event is what was found in the input.
type event uint8

const (
	needsMore event = iota // the input is used up
	hasContent
	contentEnds
	hasHead
)

// scanner reads a form. Owned by the loop goroutine, through the source that it belongs to.
type scanner struct {
	closing []byte // the closing delimiter
	limits  Limits

	input   []byte // the part of the latest chunk that was not looked at yet
	state   state
	held    int // how many bytes of closing were found at the end of what was looked at
	implied int // how many of these were not there
	pieces  []byte

	behindCR  bool // in padding
	head      []byte
	lineStart int // in head
	parts     int
}

const impliedCRLF = len("\r\n")

func (s *scanner) init(boundary string, limits Limits) {
	s.closing = []byte("\r\n--" + boundary + "--")
	s.limits = limits
	s.held, s.implied = impliedCRLF, impliedCRLF
}

func (s *scanner) delimiter() []byte { return s.closing[:len(s.closing)-len("--")] }

// next returns what comes next, and the content or the head if it is that. They are valid until next is called again,
// and content no longer than the chunk that it is from.
func (s *scanner) next() (event, []byte, error) {
	for len(s.input) > 0 {
		switch s.state {
		case inPreamble, inContent:
			before := s.state
			if content := s.content(); len(content) > 0 {
				return hasContent, content, nil
			}
			if before == inContent && s.state != inContent {
				return contentEnds, nil, nil
			}
		case inPadding, inClosePadding:
			if err := s.padding(); err != nil {
				return needsMore, nil, err
			}
		case inHead:
			whole, err := s.headLine()
			if err != nil {
				return needsMore, nil, err
			}
			if whole {
				return hasHead, s.head, nil
			}
		case inEpilogue:
			s.input = nil
		}
	}
	return needsMore, nil, nil
}

// finish returns what is wrong with a form that ends here, or nil.
func (s *scanner) finish() error {
	if s.state != inClosePadding && s.state != inEpilogue {
		return errCut
	}
	return nil
}

// content takes the next piece of content off the input. If there is none, either the input is used up, or a delimiter
// was found, or something that was held is settled.
func (s *scanner) content() []byte {
	if s.held > 0 {
		return s.resume()
	}
	delimiter, from := s.delimiter(), 0
	for {
		at := bytes.Index(s.input[from:], delimiter)
		if at < 0 {
			break
		}
		at += from
		from = at + len(delimiter)
		if !isContentBehind(s.input[from:]) {
			content := s.input[:at]
			s.input, s.held = s.input[from:], len(delimiter)
			return content
		}
	}
	end := len(s.input)
	from = max(from, end-len(delimiter)+1)
	if cr := bytes.LastIndexByte(s.input[from:], '\r'); cr >= 0 && bytes.HasPrefix(delimiter, s.input[from+cr:]) {
		end = from + cr
	}
	content := s.input[:end]
	s.held = len(s.input) - end
	s.input = nil
	return content
}

// isContentBehind says whether what follows a delimiter makes content of it, as far as rest shows.
func isContentBehind(rest []byte) bool {
	switch {
	case len(rest) == 0 || endsDelimiter(rest[0]):
		return false
	case rest[0] == '-':
		return len(rest) > 1 && rest[1] != '-'
	}
	return true
}

func endsDelimiter(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// resume goes on with what is held. It returns that if it turns out to be content.
func (s *scanner) resume() []byte {
	for len(s.input) > 0 {
		c := s.input[0]
		switch {
		case s.held == len(s.closing)-len("--") && endsDelimiter(c):
			s.held, s.implied, s.state = 0, 0, inPadding
			return nil
		case c != s.closing[s.held]:
			s.pieces = append(s.pieces[:0], s.closing[s.implied:s.held]...)
			s.held, s.implied = 0, 0
			return s.pieces
		}
		s.input = s.input[1:]
		s.held++
		if s.held == len(s.closing) {
			s.held, s.implied, s.state = 0, 0, inClosePadding
			return nil
		}
	}
	return nil
}

// padding passes over the rest of the line of a delimiter.
func (s *scanner) padding() error {
	for i, c := range s.input {
		switch {
		case s.behindCR && c == '\n':
			s.input = s.input[i+1:]
			s.behindCR = false
			return s.endPadding()
		case s.behindCR:
			return errPadding
		case c == '\r':
			s.behindCR = true
		case c != ' ' && c != '\t':
			return errPadding
		}
	}
	s.input = nil
	return nil
}

func (s *scanner) endPadding() error {
	if s.state == inClosePadding {
		s.state = inEpilogue
		return nil
	}
	if s.parts == s.limits.Parts {
		return tooManyParts(s.parts)
	}
	s.parts++
	s.state, s.head, s.lineStart = inHead, s.head[:0], 0
	return nil
}

// headLine adds to the head what the input has of its next line. It returns whether the head is whole.
func (s *scanner) headLine() (whole bool, err error) {
	line := s.input
	end := bytes.IndexByte(s.input, '\n')
	if end >= 0 {
		line = s.input[:end+1]
	}
	if len(line) > s.limits.Head-len(s.head) {
		return false, overLimit("the head of a part", s.limits.Head)
	}
	s.head = append(s.head, line...)
	s.input = s.input[len(line):]
	if end < 0 {
		return false, nil
	}
	line = s.head[s.lineStart:]
	s.lineStart = len(s.head)
	if !bytes.HasSuffix(line, []byte("\r\n")) {
		return false, errLineEnd
	}
	if len(line) > len("\r\n") {
		return false, nil
	}
	s.state, s.held, s.implied = inContent, impliedCRLF, impliedCRLF
	return true, nil
}
