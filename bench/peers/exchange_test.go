package peers

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// An exchange is a request and all that its answer must be.
type exchange struct {
	request   string
	body      io.Reader // of the request, sent behind it
	mediaType string
	length    int
	content   io.Reader
}

func get(target, mediaType, content string) exchange {
	return exchange{
		request:   "GET " + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n",
		mediaType: mediaType, length: len(content), content: strings.NewReader(content),
	}
}

func post(target, sentType string, length int, body io.Reader, mediaType, content string) exchange {
	e := get(target, mediaType, content)
	e.request = fmt.Sprintf("POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", target, sentType, length)
	e.body = body
	return e
}

// A client is one connection to a peer.
type client struct {
	net.Conn
	reader *bufio.Reader
	peer   *peer
}

func (p *peer) dial(t *testing.T, address string) *client {
	t.Helper()
	connection, err := net.Dial("tcp4", address)
	if err != nil {
		t.Fatalf("no connection: %v", err)
	}
	t.Cleanup(func() { connection.Close() })
	if err := connection.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return &client{connection, bufio.NewReaderSize(connection, 64<<10), p}
}

// do makes the exchange and fails the test when its answer is not what it must be.
func (c *client) do(t *testing.T, e exchange) http.Header {
	t.Helper()
	sent := make(chan error, 1)
	go func() {
		_, err := io.WriteString(c, e.request)
		if err == nil && e.body != nil {
			_, err = io.Copy(c, e.body)
		}
		sent <- err
	}()
	header := c.expect(t, e)
	if err := <-sent; err != nil {
		t.Fatalf("the request %.60q cannot be sent: %v", e.request, err)
	}
	return header
}

// expect reads an answer and holds it against the exchange.
func (c *client) expect(t *testing.T, e exchange) http.Header {
	t.Helper()
	response, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		t.Fatalf("no answer to %.60q: %v", e.request, err)
	}
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%.60q is answered with %s, expected 200", e.request, response.Status)
	}
	c.expectFields(t, e, response.Header)
	if err := expectSame(response.Body, e.content); err != nil {
		t.Fatalf("the body of the answer to %.60q is not right: %v", e.request, err)
	}
	return response.Header
}

func (c *client) expectFields(t *testing.T, e exchange, header http.Header) {
	t.Helper()
	for name, value := range map[string]string{"Content-Type": e.mediaType, "Content-Length": strconv.Itoa(e.length)} {
		if got := header.Values(name); len(got) != 1 || got[0] != value {
			t.Errorf("%.60q is answered with %s %q, expected %q once", e.request, name, got, value)
		}
	}
	if _, err := http.ParseTime(header.Get("Date")); err != nil {
		t.Errorf("%.60q is answered without a valid Date: %v", e.request, err)
	}
	known := append([]string{"Content-Type", "Content-Length", "Date", "Server"}, c.peer.sends...)
	if strings.Contains(e.request, "HTTP/1.0") {
		known = append(known, "Connection")
	}
	for name, values := range header {
		if !slices.Contains(known, name) || len(values) != 1 {
			t.Errorf("%.60q is answered with %s %q, which the other servers do not send", e.request, name, values)
		}
	}
}

// expectSame compares two streams, block by block.
func expectSame(got, expected io.Reader) error {
	a, b := make([]byte, 64<<10), make([]byte, 64<<10)
	for at := 0; ; {
		n, errA := io.ReadFull(got, a)
		m, errB := io.ReadFull(expected, b)
		if n != m || !bytes.Equal(a[:n], b[:m]) {
			return fmt.Errorf("of the 64 KiB from byte %d on there are %d bytes (%v), expected %d, and the same", at, n, errA, m)
		}
		if errA != nil && errB != nil {
			return nil
		}
		at += n
	}
}
