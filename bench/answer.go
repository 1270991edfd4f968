package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	answerTimeout = 10 * time.Second
	// pipelineDepth is how many requests the pipelined scenario sends in one write.
	pipelineDepth = 16
	maxAnswerHead = 8 << 10
	// A longer answer is checked, but its body is not kept.
	maxKeptBody = 8 << 10
)

// A check is how a server's answers are held against what they must be.
type check struct {
	request []byte // as the load's tool sends it
	asks    exchange
	exact   []byte // when not nil, what an answer must be byte for byte, or its head when the body is long
	times   int    // how many requests are sent in one write after the first
	// A tool that speaks HTTP/1.0 is told whether the connection stays: closes says that the
	// server must close it after the first answer.
	speaks10, closes bool
}

// run waits until the server answers the request, then sends it the request once and, unless
// the connection closes, so many times in one write, and checks every answer. It returns the
// bytes of the first, of a long one those of the head.
func (k *check) run(ctx context.Context, address string) ([]byte, error) {
	connection, err := dialUntilAccepted(ctx, address)
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	stopWatching := context.AfterFunc(ctx, func() { connection.Close() })
	defer stopWatching()
	if err := connection.SetDeadline(time.Now().Add(answerTimeout)); err != nil {
		return nil, err
	}
	reader := bufio.NewReader(connection)
	first, err := k.ask(connection, reader, 1)
	if err != nil {
		return nil, err
	}
	if k.closes {
		if _, err := reader.ReadByte(); err != io.EOF {
			return nil, fmt.Errorf("after the answer there is %v, expected that the server closes the connection", err)
		}
		return first, nil
	}
	_, err = k.ask(connection, reader, k.times)
	return first, err
}

// ask sends count requests in one write and returns the first answer.
func (k *check) ask(connection io.Writer, reader *bufio.Reader, count int) (first []byte, err error) {
	if _, err := connection.Write(bytes.Repeat(k.request, count)); err != nil {
		return nil, fmt.Errorf("%d requests in one write: %w", count, err)
	}
	for i := range count {
		answer, err := k.readAnswer(reader)
		if err != nil {
			return nil, fmt.Errorf("answer %d of %d requests in one write: %w", i+1, count, err)
		}
		if first == nil {
			first = answer
		}
	}
	return first, nil
}

// dialUntilAccepted connects to the address, again and again while it is refused, for at most
// answerTimeout.
func dialUntilAccepted(ctx context.Context, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	retry := time.NewTicker(20 * time.Millisecond)
	defer retry.Stop()
	for {
		var dialer net.Dialer
		connection, err := dialer.DialContext(ctx, "tcp4", address)
		if err == nil {
			return connection, nil
		}
		select {
		case <-retry.C:
		case <-ctx.Done():
			return nil, fmt.Errorf("no connection within %v: %w", answerTimeout, err)
		}
	}
}

// readAnswer reads one answer and holds it against what all servers must send: the same
// status, the same fields but for the values of Server and Date (Server may be missing), the
// same body. It returns the bytes as they came.
func (k *check) readAnswer(reader *bufio.Reader) ([]byte, error) {
	answer, err := readHead(reader)
	if err != nil {
		return nil, err
	}
	response, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(answer)), &http.Request{Method: http.MethodHead})
	if err != nil {
		return nil, fmt.Errorf("%q is not the head of an HTTP response: %w", answer, err)
	}
	if err := k.checkStatus(response); err != nil {
		return nil, err
	}
	if err := k.checkFields(response.Header); err != nil {
		return nil, err
	}
	length := k.asks.answerLength()
	if response.ContentLength != length {
		return nil, fmt.Errorf("the answer has a Content-Length of %d, expected %d", response.ContentLength, length)
	}
	if err := k.checkBody(reader); err != nil {
		return nil, err
	}
	if length <= maxKeptBody {
		answer = append(answer, bytes.Repeat(k.asks.block, k.asks.repeats)...)
	}
	if k.exact != nil && !bytes.Equal(answer, k.exact) {
		return nil, fmt.Errorf("the answer is %q, expected exactly %q", answer, k.exact)
	}
	return answer, nil
}

func readHead(reader *bufio.Reader) ([]byte, error) {
	var head []byte
	for !bytes.HasSuffix(head, []byte("\r\n\r\n")) {
		line, err := reader.ReadSlice('\n')
		head = append(head, line...)
		if err != nil {
			return nil, fmt.Errorf("the head broke off after %q: %w", head, err)
		}
		if len(head) > maxAnswerHead {
			return nil, fmt.Errorf("the head is longer than %d bytes", maxAnswerHead)
		}
	}
	return head, nil
}

// checkBody reads the body and compares it block by block.
func (k *check) checkBody(reader io.Reader) error {
	got := make([]byte, len(k.asks.block))
	for i := range k.asks.repeats {
		if n, err := io.ReadFull(reader, got); err != nil {
			return fmt.Errorf("the body broke off %d bytes after block %d: %w", n, i, err)
		}
		if !bytes.Equal(got, k.asks.block) {
			if len(got) > maxAnswerHead {
				return fmt.Errorf("the body differs from what it must be in its block %d of %d bytes", i+1, len(got))
			}
			return fmt.Errorf("the body is %q, expected %q", got, k.asks.block)
		}
	}
	return nil
}

func (k *check) checkStatus(response *http.Response) error {
	rightVersion := response.Proto == "HTTP/1.1" || k.speaks10 && response.Proto == "HTTP/1.0"
	if !rightVersion || response.StatusCode != http.StatusOK {
		return fmt.Errorf("the status line says %s %s, expected HTTP/1.1 200 OK", response.Proto, response.Status)
	}
	return nil
}

func (k *check) checkFields(header http.Header) error {
	if err := k.checkContentType(header.Values("Content-Type")); err != nil {
		return err
	}
	length := strconv.FormatInt(k.asks.answerLength(), 10)
	if got := header.Values("Content-Length"); len(got) != 1 || got[0] != length {
		return fmt.Errorf("Content-Length is %q, expected %q once", got, length)
	}
	if _, err := http.ParseTime(header.Get("Date")); err != nil {
		return fmt.Errorf("the answer has no valid Date: %w", err)
	}
	if k.speaks10 && !k.closes && !strings.EqualFold(header.Get("Connection"), "keep-alive") {
		return errors.New("the answer does not say Connection: keep-alive, without which an HTTP/1.0 client gives the connection up")
	}
	for name, values := range header {
		switch name {
		case "Content-Type", "Content-Length", "Date", "Server":
			if len(values) == 1 {
				continue
			}
		case "Connection":
			// nginx says it in every answer and cannot be told not to.
			if k.speaks10 || strings.EqualFold(values[0], "keep-alive") {
				continue
			}
		default:
			if k.asks.moreFields {
				continue
			}
		}
		return fmt.Errorf("the answer has %s with %q, which the other servers do not send", name, values)
	}
	return nil
}

func (k *check) checkContentType(got []string) error {
	expected := k.asks.contentType
	if expected == "" {
		return nil
	}
	same := len(got) == 1 && got[0] == expected
	if len(got) == 1 && k.asks.mediaTypeOnly {
		mediaType, _, err := mime.ParseMediaType(got[0])
		same = err == nil && mediaType == expected
	}
	if !same {
		return fmt.Errorf("Content-Type is %q, expected %q once", got, expected)
	}
	return nil
}
