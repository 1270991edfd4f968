package servertest

import (
	"strconv"
	"strings"
)

// A Request is a request as a client sends it: the bytes, right or wrong. A string constant
// is one. The functions Get, Post and NewRequest make one that is well-formed, and its
// methods return changed copies of one.
type Request string

const headEnd = "\r\n\r\n"

// Get returns a GET request for target (RFC 9112, section 3.2) at the host "test".
func Get(target string) Request { return NewRequest("GET", target) }

// Post returns a POST request with a body.
func Post(target, contentType, body string) Request {
	return NewRequest("POST", target).With("Content-Type", contentType).WithBody(body)
}

// NewRequest returns a request without a body for target at the host "test".
func NewRequest(method, target string) Request {
	return Request(method + " " + target + " HTTP/1.1\r\nHost: test" + headEnd)
}

// With returns the request with one more field line at the end of its head, as it is
// given.
func (r Request) With(name, value string) Request {
	head, body, _ := strings.Cut(string(r), headEnd)
	return Request(head + "\r\n" + name + ": " + value + headEnd + body)
}

// WithBody returns the request, which has no body yet, with one and its Content-Length.
func (r Request) WithBody(body string) Request {
	return r.With("Content-Length", strconv.Itoa(len(body))) + Request(body)
}

// WithChunks returns the request, which has no body yet, with one that is sent chunked
// (RFC 9112, section 7.1): each of chunks, none of which is empty, is one chunk.
func (r Request) WithChunks(chunks ...string) Request {
	r = r.With("Transfer-Encoding", "chunked")
	for _, chunk := range chunks {
		r += Request(strconv.FormatInt(int64(len(chunk)), 16) + "\r\n" + chunk + "\r\n")
	}
	return r + "0\r\n\r\n"
}

// method is the request's method, which decides how its answer is read.
func (r Request) method() string {
	method, _, _ := strings.Cut(strings.TrimLeft(string(r), "\r\n"), " ")
	return method
}
