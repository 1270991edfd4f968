package main

import (
	"errors"
	"testing"
)

func TestRequests(t *testing.T) {
	const post = "POST /echo HTTP/1.1\r\nHost: localhost\r\ncontent-length: 5\r\nContent-Type: text/csv\r\nExpect: 100-continue\r\n\r\n"
	r, found, err := parseRequest([]byte(post + "12345GET"))
	if err != nil || !found {
		t.Fatalf("the request is not found (%v), expected it to be", err)
	}
	if string(r.method) != "POST" || string(r.target) != "/echo" || string(r.mediaType) != "text/csv" ||
		r.bodyLength != 5 || r.headLength != len(post) || r.closes || r.old || !r.expects {
		t.Errorf("the request is %+v, expected what its head says", r)
	}
	for cut := range len(post) {
		if _, found, err := parseRequest([]byte(post[:cut])); found || err != nil {
			t.Errorf("of the first %d bytes found is %t and the error %v, expected that more must come", cut, found, err)
		}
	}
}

func TestRequestsThatCloseTheConnection(t *testing.T) {
	for head, closes := range map[string]bool{
		"GET / HTTP/1.1\r\n\r\n":                           false,
		"GET / HTTP/1.1\r\nConnection: close\r\n\r\n":      true,
		"GET / HTTP/1.0\r\n\r\n":                           true,
		"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n": false,
	} {
		if r, _, err := parseRequest([]byte(head)); err != nil || r.closes != closes {
			t.Errorf("%q closes the connection: %t, error %v; expected %t", head, r.closes, err, closes)
		}
	}
}

func TestRequestsThatAreNone(t *testing.T) {
	for _, head := range []string{
		"GET /\r\n\r\n", "GET / HTTP/2.0\r\n\r\n", "\r\n\r\n", "GET / HTTP/1.1\r\nHost\r\n\r\n",
		"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
		string(make([]byte, maxHead+1)),
	} {
		if _, _, err := parseRequest([]byte(head)); !errors.Is(err, errRequest) {
			t.Errorf("%.80q gives the error %v, expected that it is no request", head, err)
		}
	}
}
