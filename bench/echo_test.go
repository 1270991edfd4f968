package main

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const (
	testEchoBytes = 3*echoPeriod + 17
	testEchoRate  = 1 << 30 // no limit to speak of
)

func TestRunEcho(t *testing.T) {
	address := serveEcho(t, func(w io.Writer, body io.Reader) { io.Copy(w, body) })
	underWay, err := runEcho(dial(t, address), testEchoBytes, testEchoRate)
	if err != nil {
		t.Fatalf("the echo failed: %v", err)
	}
	if underWay <= 0 || underWay > testEchoBytes {
		t.Errorf("at most %d bytes were under way, expected between 1 and the %d of the body", underWay, testEchoBytes)
	}
}

func TestRunEchoSeesWhatIsWrong(t *testing.T) {
	tests := []struct {
		why       string
		serve     func(w io.Writer, body io.Reader)
		complaint string
	}{
		{"a byte is lost", func(w io.Writer, body io.Reader) {
			io.CopyN(w, body, 100_000)
			io.CopyN(io.Discard, body, 1)
			io.Copy(w, body)
		}, "differs"},
		{"the end is cut off", func(w io.Writer, body io.Reader) {
			io.CopyN(w, body, testEchoBytes-1)
			io.Copy(io.Discard, body)
		}, "ended after"},
		{"there is more at the end", func(w io.Writer, body io.Reader) {
			io.Copy(w, body)
			w.Write(make([]byte, echoPeriod))
		}, "differs"},
		{"another status", func(w io.Writer, body io.Reader) {
			w.(http.ResponseWriter).WriteHeader(http.StatusAccepted)
		}, "status"},
	}
	for _, test := range tests {
		_, err := runEcho(dial(t, serveEcho(t, test.serve)), testEchoBytes, testEchoRate)
		if err == nil || !strings.Contains(err.Error(), test.complaint) {
			t.Errorf("%s: the error is %v, expected one with %q", test.why, err, test.complaint)
		}
	}
}

func serveEcho(t *testing.T, serve func(w io.Writer, body io.Reader)) (address string) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := http.NewResponseController(w).EnableFullDuplex(); err != nil {
			t.Errorf("the test's server cannot read and write at once: %v", err)
		}
		serve(w, r.Body)
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func dial(t *testing.T, address string) *net.TCPConn {
	connection, err := net.Dial("tcp4", address)
	if err != nil {
		t.Fatalf("no connection to the test's server: %v", err)
	}
	t.Cleanup(func() { connection.Close() })
	return connection.(*net.TCPConn)
}
