package main

import (
	"bufio"
	"net"
	"strings"
	"testing"
)

func TestCheckAnswer(t *testing.T) {
	const good = "HTTP/1.1 200 OK\r\nServer: any\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n" +
		"Content-Type: text/plain; charset=utf-8\r\nContent-Length: 13\r\n\r\nHello, World!"
	tests := []struct {
		why, old, new string
		complaint     string
	}{
		{"an answer as it must be", "", "", ""},
		{"no Server", "Server: any\r\n", "", ""},
		{"another status", "200 OK", "404 Not Found", "status line"},
		{"another version", "HTTP/1.1", "HTTP/1.0", "status line"},
		{"another body", "World", "Would", "body"},
		{"no Date", "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n", "", "Date"},
		{"another type", "text/plain; charset=utf-8", "text/plain", "Content-Type"},
		{"one field more", "Server: any", "X-Powered-By: any", "X-Powered-By"},
		{"a field twice", "Server: any", "Server: any\r\nServer: any", "Server"},
	}
	for _, test := range tests {
		err := checkAnswer([]byte(strings.Replace(good, test.old, test.new, 1)), nil)
		switch {
		case test.complaint == "" && err != nil:
			t.Errorf("%s: refused with %v, expected to be taken", test.why, err)
		case test.complaint != "" && (err == nil || !strings.Contains(err.Error(), test.complaint)):
			t.Errorf("%s: the error is %v, expected one about %s", test.why, err, test.complaint)
		}
	}
	if err := checkAnswer([]byte(good), []byte(good)); err != nil {
		t.Errorf("the exact answer was refused: %v", err)
	}
	if err := checkAnswer([]byte(good), []byte(strings.Replace(good, "any", "All", 1))); err == nil {
		t.Error("an answer that differs in one byte from the exact one was taken, expected an error")
	}
}

func TestCheckServerWantsEveryPipelinedAnswer(t *testing.T) {
	for _, answers := range []int{1, pipelineDepth, pipelineDepth + 1} {
		_, err := checkServer(t.Context(), serveAnswers(t, answers), []byte("x"), []byte(standInAnswer))
		if all := answers == pipelineDepth+1; all != (err == nil) {
			t.Errorf("a server that gives %d answers, then closes: the error is %v, expected none only with %d",
				answers, err, pipelineDepth+1)
		}
	}
}

// serveAnswers listens for one connection, answers each byte it reads, count times at most,
// and closes the connection.
func serveAnswers(t *testing.T, count int) (address string) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("no listener: %v", err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		defer connection.Close()
		requests := bufio.NewReader(connection)
		for range count {
			if _, err := requests.ReadByte(); err != nil {
				return
			}
			if _, err := connection.Write([]byte(standInAnswer)); err != nil {
				return
			}
		}
	}()
	return listener.Addr().String()
}
