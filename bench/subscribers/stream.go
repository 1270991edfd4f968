package main

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A stream reads a response of server-sent events from the bytes of its connection, which may
// be cut anywhere: an HTTP/1.1 head, chunks (RFC 9112, section 7.1), and in them events.
//
// Rules:
//  1. Chunks say nothing about events: one may hold many, or a part of one. The lines of
//     events are put together beyond the ends of chunks.
//  2. Only what is incomplete is copied. A line is valid until the next take.
//  3. An event is delivered at its empty line, and only if it has data: comments, which
//     servers send against silence, and all other fields are passed over.
//  4. The response never ends: its last chunk is an error like any other.
type stream struct {
	state   streamState
	status  bool       // the status line has been read
	chunked bool       // the head says so
	left    int        // bytes of the chunk's data that are still to come
	framing lineBuffer // lines of the head and of the chunks
	text    lineBuffer // lines of the events
	data    []byte     // of the event that is being read
	hasData bool
}

type streamState uint8

const (
	inHead streamState = iota
	inChunkSize
	inChunkData
	afterChunkData
)

const (
	maxLine  = 16 << 10
	maxChunk = 1 << 30
)

// answered reports whether the head of the response is complete.
func (s *stream) answered() bool { return s.state != inHead }

// feed reads the bytes and calls deliver with the data of each event that they complete. The
// data is valid until deliver returns. After an error the stream is not to be used again.
func (s *stream) feed(input []byte, deliver func(data []byte) error) error {
	for len(input) > 0 {
		if s.state == inChunkData {
			data := input[:min(len(input), s.left)]
			if err := s.readEvents(data, deliver); err != nil {
				return err
			}
			input = input[len(data):]
			if s.left -= len(data); s.left == 0 {
				s.state = afterChunkData
			}
			continue
		}
		line, rest, complete := s.framing.take(input)
		if !complete {
			return s.framing.check()
		}
		input = rest
		if err := s.readFraming(line); err != nil {
			return err
		}
	}
	return nil
}

// readFraming takes a line of the head or between chunks.
func (s *stream) readFraming(line []byte) error {
	line, found := bytes.CutSuffix(line, []byte("\r"))
	switch {
	case !found:
		return fmt.Errorf("the line %q ends with LF alone, expected CR LF", line)
	case s.state == inHead:
		return s.readHead(line)
	case s.state == afterChunkData && len(line) > 0:
		return fmt.Errorf("behind the data of a chunk is %q, expected CR LF", line)
	case s.state == afterChunkData:
		s.state = inChunkSize
		return nil
	}
	size, err := strconv.ParseUint(string(line), 16, 31)
	if err != nil || size > maxChunk {
		return fmt.Errorf("the size of a chunk is %q, expected a number in hexadecimal", line)
	}
	if size == 0 {
		return errors.New("the server has ended the stream of events")
	}
	s.left, s.state = int(size), inChunkData
	return nil
}

func (s *stream) readHead(line []byte) error {
	if !s.status {
		s.status = true
		if !bytes.HasPrefix(line, []byte("HTTP/1.1 200 ")) {
			return fmt.Errorf("the status line is %q, expected HTTP/1.1 200", line)
		}
		return nil
	}
	if len(line) == 0 {
		if !s.chunked {
			return errors.New("the head has no Transfer-Encoding: chunked, expected a stream of chunks")
		}
		s.state = inChunkSize
		return nil
	}
	name, value, _ := strings.Cut(string(line), ":")
	if strings.EqualFold(name, "Transfer-Encoding") && strings.EqualFold(strings.TrimSpace(value), "chunked") {
		s.chunked = true
	}
	return nil
}

// readEvents takes data of a chunk.
func (s *stream) readEvents(data []byte, deliver func(data []byte) error) error {
	for len(data) > 0 {
		line, rest, complete := s.text.take(data)
		if !complete {
			return s.text.check()
		}
		data = rest
		if value, found := bytes.CutPrefix(line, []byte("data:")); found {
			if s.hasData {
				s.data = append(s.data, '\n')
			}
			s.hasData = true
			s.data = append(s.data, bytes.TrimPrefix(value, []byte(" "))...)
		}
		if len(line) == 0 && s.hasData {
			if err := deliver(s.data); err != nil {
				return err
			}
			s.data, s.hasData = s.data[:0], false
		}
	}
	return nil
}

// A lineBuffer puts lines together that come in pieces.
type lineBuffer struct {
	partial []byte
	taken   bool // partial has been given out and begins anew
}

// take returns the first line, without its LF, and what is behind it; or complete as false,
// when input is only a part of a line, which is then kept. The line is valid until the next
// take and as long as input is.
func (b *lineBuffer) take(input []byte) (line, rest []byte, complete bool) {
	if b.taken {
		b.partial, b.taken = b.partial[:0], false
	}
	end := bytes.IndexByte(input, '\n')
	if end < 0 {
		b.partial = append(b.partial, input...)
		return nil, nil, false
	}
	line, rest = input[:end], input[end+1:]
	if len(b.partial) > 0 {
		b.partial, b.taken = append(b.partial, line...), true
		line = b.partial
	}
	return line, rest, true
}

func (b *lineBuffer) check() error {
	if len(b.partial) > maxLine {
		return fmt.Errorf("a line is longer than %d bytes; it begins with %q", maxLine, b.partial[:64])
	}
	return nil
}
