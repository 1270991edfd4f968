package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// serveDownload answers everything with a body of so many patterns, changed by change.
func serveDownload(t *testing.T, patterns int, change func([]byte)) (address string) {
	body := bytes.Repeat(pattern(), patterns)
	if change != nil {
		change(body)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		w.Write(body)
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func TestReadersReadAndCount(t *testing.T) {
	// Two patterns at this rate are read within one tick: each reader asks again and again.
	o := options{address: serveDownload(t, 2, nil), path: "/", readers: 3, rate: 1 << 30}
	commands, toReaders := io.Pipe()
	fromReaders, reports := io.Pipe()
	finished := make(chan error, 1)
	go func() {
		finished <- serve(o, commands, reports)
		reports.Close()
	}()
	lines := bufio.NewScanner(fromReaders)
	if !lines.Scan() || lines.Text() != "ready" {
		t.Fatalf("the readers print %q, expected that they are ready", lines.Text())
	}
	last, wanted := int64(0), int64(3*4*2*patternLength) // four bodies each
	for last < wanted {
		if _, err := io.WriteString(toReaders, "count\n"); err != nil {
			t.Fatalf("the readers take no command: %v", err)
		}
		var count int64
		if !lines.Scan() {
			t.Fatalf("the readers ended (%v), expected a count", <-finished)
		}
		if _, err := fmt.Sscanf(lines.Text(), "read %d", &count); err != nil || count < last {
			t.Fatalf("the readers print %q after %d bytes, expected a count that grows", lines.Text(), last)
		}
		last = count
	}
	toReaders.Close()
	if err := <-finished; err != nil {
		t.Errorf("the readers failed: %v", err)
	}
}

func TestReadersSeeWhatIsWrong(t *testing.T) {
	endless, _ := io.Pipe() // commands that never come
	wrongByte := serveDownload(t, 3, func(body []byte) { body[patternLength+7] ^= 1 })
	notFound := httptest.NewServer(http.NotFoundHandler())
	defer notFound.Close()
	chunked := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.NewResponseController(w).Flush()
	}))
	defer chunked.Close()
	tests := []struct {
		why, address string
		rate         int64
		commands     io.Reader
		complaint    string
	}{
		{"a wrong byte", wrongByte, 1 << 30, endless, "the body is wrong"},
		{"another status", notFound.Listener.Addr().String(), 1 << 30, endless, "expected HTTP/1.1 200"},
		{"no length", chunked.Listener.Addr().String(), 1 << 30, endless, "no Content-Length"},
		{"a name for an address", "localhost:80", 1, endless, "expected an IPv4 address"},
		{"no rate", "127.0.0.1:1", 0, endless, "expected each to be at least 1"},
		{"another command", serveDownload(t, 1, nil), 1, strings.NewReader("sing\n"), `the command is "sing"`},
	}
	for _, test := range tests {
		o := options{address: test.address, path: "/", readers: 1, rate: test.rate}
		if err := serve(o, test.commands, io.Discard); err == nil || !strings.Contains(err.Error(), test.complaint) {
			t.Errorf("%s: the error is %v, expected one with %q", test.why, err, test.complaint)
		}
	}
}

func TestBytesBehindTheBodyAreSeen(t *testing.T) {
	d := &downloads{pattern: bytes.Repeat(pattern(), 2)}
	one := &download{}
	err := d.take(one, append([]byte("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"), 0, 1, 2, 3))
	if err == nil || !strings.Contains(err.Error(), "1 bytes behind") {
		t.Errorf("the error is %v, expected that there is one byte behind the body", err)
	}
}
