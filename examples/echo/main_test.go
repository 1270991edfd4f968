package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/examples/internal/program/programtest"
	"github.com/penstock-go/penstock/server"
)

func TestAnswers(t *testing.T) {
	base := programtest.Start(t, route, server.Options{})
	long := strings.Repeat("0123456789abcdef", 1<<16)
	digest := sha256.Sum256([]byte(long))
	for _, c := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"POST", "/echo", "", 200, ""},
		{"POST", "/echo", "hello", 200, "hello"},
		{"POST", "/echo", long, 200, long},
		{"POST", "/sum", long, 200, hex.EncodeToString(digest[:]) + "\n"},
		{"POST", "/sum", "", 200, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n"},
		{"GET", "/slow?ms=0", "", 200, "waited 0s\n"},
		{"GET", "/slow?ms=20", "", 200, "waited 20ms\n"},
		{"GET", "/slow", "", 400, "The parameter ms must be a number of milliseconds from 0 to 60000.\n"},
		{"GET", "/slow?ms=-1", "", 400, "The parameter ms must be a number of milliseconds from 0 to 60000.\n"},
		{"GET", "/slow?ms=9223372036854775807", "", 400, "The parameter ms must be a number of milliseconds from 0 to 60000.\n"},
		{"GET", "/echo", "", 405, "The method must be POST.\n"},
		{"GET", "/", "", 404, "There are POST /echo, POST /sum and GET /slow?ms=N.\n"},
	} {
		resp, got := programtest.Do(t, c.method, base+c.path, c.body)
		if resp.StatusCode != c.status || got != c.want {
			t.Errorf("%s %s with %d bytes should be answered %d with %d bytes, and was answered %d with %d bytes",
				c.method, c.path, len(c.body), c.status, len(c.want), resp.StatusCode, len(got))
		}
	}
}

// The echo of the first half comes back before the second half is sent.
func TestEchoComesAsItIsSent(t *testing.T) {
	base := programtest.Start(t, route, server.Options{})
	c, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, "POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nfirst"); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	half := make([]byte, 5)
	if _, err := io.ReadFull(resp.Body, half); err != nil || string(half) != "first" {
		t.Fatalf("the first half should come back at once, and gave %q, %v", half, err)
	}
	if _, err := io.WriteString(c, "other"); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(resp.Body); err != nil || string(rest) != "other" {
		t.Fatalf("then the second half should, and gave %q, %v", rest, err)
	}
}

// Many slow answers wait at once on the loops.
func TestSlowHoldsNobodyUp(t *testing.T) {
	base := programtest.Start(t, route, server.Options{Loops: 1})
	answers := make(chan string, 50)
	for range cap(answers) {
		go func() {
			resp, err := http.Get(base + "/slow?ms=300")
			if err != nil {
				answers <- err.Error()
				return
			}
			defer resp.Body.Close()
			b, err := io.ReadAll(resp.Body)
			if err != nil {
				answers <- err.Error()
				return
			}
			answers <- string(b)
		}()
	}
	for range cap(answers) {
		if got := <-answers; got != "waited 300ms\n" {
			t.Errorf("a slow answer is %q", got)
		}
	}
}
