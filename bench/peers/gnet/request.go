package main

import (
	"bytes"
	"errors"
	"strconv"
)

// A request is what the service needs of a head. Its slices are of the bytes that were parsed.
type request struct {
	method, target []byte
	mediaType      []byte
	bodyLength     int
	headLength     int
	old            bool // HTTP/1.0
	closes         bool // the connection is to be closed after the answer
	expects        bool // 100 (Continue), before the body is sent
}

var errRequest = errors.New("the bytes are no request of HTTP/1.0 or HTTP/1.1 with a Content-Length")

// maxHead is how many bytes a head may have.
const maxHead = 16 << 10

// parseRequest parses the head at the beginning of data. found is false when it is not complete.
func parseRequest(data []byte) (r request, found bool, err error) {
	end := bytes.Index(data, []byte("\r\n\r\n"))
	if end < 0 {
		if len(data) > maxHead {
			return r, false, errRequest
		}
		return r, false, nil
	}
	r.headLength = end + len("\r\n\r\n")
	line, fields, _ := bytes.Cut(data[:end+len("\r\n")], []byte("\r\n"))
	if !r.takeLine(line) {
		return r, false, errRequest
	}
	for len(fields) > 0 {
		line, fields, _ = bytes.Cut(fields, []byte("\r\n"))
		if !r.takeField(line) {
			return r, false, errRequest
		}
	}
	return r, true, nil
}

func (r *request) takeLine(line []byte) bool {
	var version []byte
	var hasTarget, hasVersion bool
	r.method, line, hasTarget = bytes.Cut(line, []byte(" "))
	r.target, version, hasVersion = bytes.Cut(line, []byte(" "))
	r.old = string(version) == "HTTP/1.0"
	r.closes = r.old
	return hasTarget && hasVersion && (r.old || string(version) == "HTTP/1.1")
}

func (r *request) takeField(line []byte) bool {
	colon := bytes.IndexByte(line, ':')
	if colon < 0 {
		return false
	}
	name, value := line[:colon], bytes.TrimSpace(line[colon+1:])
	// The lengths of the names differ, so that most fields cost one comparison.
	switch len(name) {
	case len("Expect"):
		r.expects = r.expects || is(name, "Expect") && is(value, "100-continue")
	case len("Connection"):
		if is(name, "Connection") {
			r.closes = is(value, "close") || r.old && !is(value, "keep-alive")
		}
	case len("Content-Type"):
		if is(name, "Content-Type") {
			r.mediaType = value
		}
	case len("Content-Length"):
		if is(name, "Content-Length") {
			length, err := strconv.Atoi(string(value))
			r.bodyLength = length
			return err == nil && length >= 0
		}
	case len("Transfer-Encoding"):
		return !is(name, "Transfer-Encoding")
	}
	return true
}

func is(text []byte, expected string) bool { return bytes.EqualFold(text, []byte(expected)) }
