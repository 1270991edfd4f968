package main

import (
	"bytes"
	"strings"
	"testing"
)

// toolsHere is a harness with the load generators that are installed.
func toolsHere(t *testing.T) *harness {
	h := &harness{requests: map[string][]byte{}}
	var err error
	if h.wrk, err = findWrk(1); err != nil {
		t.Skip(err)
	}
	if h.ab, err = findAB(); err != nil {
		t.Skip(err)
	}
	return h
}

func TestRequestsOfTheTools(t *testing.T) {
	h := toolsHere(t)
	const plain = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
	for _, l := range []load{wrkLoadOf(64, askGreeting), loadPipelined, {asks: askGreeting}} {
		if got, err := h.requestOf(t.Context(), l); err != nil || string(got) != plain {
			t.Errorf("a request of %q is %q with error %v, expected %q", l.tool, got, err, plain)
		}
	}
	posted, err := h.requestOf(t.Context(), loadEcho)
	if err != nil || !bytes.HasPrefix(posted, []byte("POST /echo HTTP/1.1\r\n")) || !bytes.HasSuffix(posted, []byte("\r\n\r\n"+askEcho.body)) {
		t.Errorf("the post of wrk is %q with error %v, expected the body of the exchange", posted, err)
	}
	if own := askEcho.request(); len(own) != len(posted) {
		t.Errorf("wrk posts %d bytes, expected as many as the exchange's own request has, %d", len(posted), len(own))
	}
	for _, l := range []load{loadNewConnection, loadKeepAlive} {
		got, err := h.requestOf(t.Context(), l)
		text := string(got)
		if err != nil || !strings.HasPrefix(text, "GET / HTTP/1.0\r\n") || strings.Contains(text, "Keep-Alive") != l.keepAlive ||
			strings.Count(text, "Host: localhost\r\n") != 1 {
			t.Errorf("a request of ab is %q with error %v, expected HTTP/1.0 to localhost and keep-alive: %v", got, err, l.keepAlive)
		}
	}
}
