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
		err := checkOnce(load{asks: askGreeting}, strings.Replace(good, test.old, test.new, 1), nil)
		switch {
		case test.complaint == "" && err != nil:
			t.Errorf("%s: refused with %v, expected to be taken", test.why, err)
		case test.complaint != "" && (err == nil || !strings.Contains(err.Error(), test.complaint)):
			t.Errorf("%s: the error is %v, expected one about %s", test.why, err, test.complaint)
		}
	}
	if err := checkOnce(load{asks: askGreeting}, good, []byte(good)); err != nil {
		t.Errorf("the exact answer was refused: %v", err)
	}
	if err := checkOnce(load{asks: askGreeting}, good, []byte(strings.Replace(good, "any", "All", 1))); err == nil {
		t.Error("an answer that differs in one byte from the exact one was taken, expected an error")
	}
}

// checkOnce checks one answer to a request of the load.
func checkOnce(l load, answer string, exact []byte) error {
	_, err := l.check(nil, exact).readAnswer(bufio.NewReader(strings.NewReader(answer)))
	return err
}

func TestCheckAnswerOfOtherExchanges(t *testing.T) {
	answerTo := func(asks exchange) string { return string(standInAnswer(asks)) }
	short := exchange{moreFields: true, block: []byte("abc"), repeats: 2}
	keepAlive := loadKeepAlive
	in10 := strings.Replace(answerTo(askGreeting), "HTTP/1.1", "HTTP/1.0", 1)
	tests := []struct {
		why       string
		load      load
		answer    string
		complaint string
	}{
		{"JSON with a parameter", loadJSON, strings.Replace(answerTo(askJSON), "/json", "/json; charset=utf-8", 1), ""},
		{"JSON as text", loadJSON, strings.Replace(answerTo(askJSON), "application/json", "text/json", 1), "Content-Type"},
		{"JSON with a space", loadJSON, strings.Replace(strings.Replace(answerTo(askJSON), ":\"", ": \"", 1), "27", "28", 1), "Content-Length"},
		{"an echo with one byte changed", loadEcho, strings.Replace(answerTo(askEcho), "def0", "dex0", 1), "the body is"},
		{"fields of a file", load{asks: short}, strings.Replace(answerTo(short), "Server:", "ETag:", 1), ""},
		{"the second block wrong", load{asks: short}, strings.Replace(answerTo(short), "abcabc", "abcabd", 1), "the body is"},
		{"a body too short", load{asks: short}, strings.TrimSuffix(answerTo(short), "c"), "broke off"},
		{"HTTP/1.0 that closes", loadNewConnection, strings.Replace(in10, "Server: floor", "Connection: close", 1), ""},
		{"HTTP/1.0 that does not say that it keeps the connection", keepAlive, in10, "keep-alive"},
		{"HTTP/1.0 that does", keepAlive, strings.Replace(in10, "Server: floor", "Connection: Keep-Alive", 1), ""},
	}
	for _, test := range tests {
		err := checkOnce(test.load, test.answer, nil)
		if (err == nil) != (test.complaint == "") || err != nil && !strings.Contains(err.Error(), test.complaint) {
			t.Errorf("%s: the error is %v, expected one about %q: %s", test.why, err, test.complaint, test.answer)
		}
	}
}

// TestServerThatDoesNotClose is about the scenario in which each request has its connection.
func TestServerThatDoesNotClose(t *testing.T) {
	for answers, closes := range map[int]bool{1: true, 2: false} {
		k := loadNewConnection.check([]byte("x"), nil)
		k.request = []byte("xx")[:answers] // of two requests, two answers come before the connection is closed
		if _, err := k.run(t.Context(), serveAnswers(t, answers)); closes != (err == nil) {
			t.Errorf("a server that gives %d answers, then closes: the error is %v, expected none only with 1", answers, err)
		}
	}
}

func TestCheckServerWantsEveryPipelinedAnswer(t *testing.T) {
	for _, answers := range []int{1, pipelineDepth, pipelineDepth + 1} {
		k := load{asks: askGreeting}.check([]byte("x"), standInAnswer(askGreeting))
		_, err := k.run(t.Context(), serveAnswers(t, answers))
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
			if _, err := connection.Write(standInAnswer(askGreeting)); err != nil {
				return
			}
		}
	}()
	return listener.Addr().String()
}
