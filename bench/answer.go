package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

const (
	greeting      = "Hello, World!"
	answerTimeout = 10 * time.Second
	// pipelineDepth is how many requests the pipelined scenario sends in one write.
	pipelineDepth = 16
	maxAnswerHead = 8 << 10
)

// standInAnswer is what the floor answers with when it runs without any server whose answer
// it could borrow.
const standInAnswer = "HTTP/1.1 200 OK\r\nServer: floor\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n" +
	"Content-Type: text/plain; charset=utf-8\r\nContent-Length: 13\r\n\r\n" + greeting

// checkServer waits until the server answers the request, then sends it the request once and
// pipelineDepth times in one write, and checks every answer. exact, when not nil, is what an
// answer must be byte for byte. It returns the first answer.
func checkServer(ctx context.Context, address string, request, exact []byte) ([]byte, error) {
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
	var first []byte
	for _, count := range []int{1, pipelineDepth} {
		if _, err := connection.Write(bytes.Repeat(request, count)); err != nil {
			return nil, fmt.Errorf("%d requests in one write: %w", count, err)
		}
		for i := range count {
			answer, err := readAnswer(reader)
			if err == nil {
				err = checkAnswer(answer, exact)
			}
			if err != nil {
				return nil, fmt.Errorf("answer %d of %d requests in one write: %w", i+1, count, err)
			}
			if first == nil {
				first = answer
			}
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

// readAnswer reads one answer, head and body, and returns its bytes as they came. The body
// must have the length of the greeting.
func readAnswer(reader *bufio.Reader) ([]byte, error) {
	var answer []byte
	for !bytes.HasSuffix(answer, []byte("\r\n\r\n")) {
		line, err := reader.ReadSlice('\n')
		answer = append(answer, line...)
		if err != nil {
			return nil, fmt.Errorf("the head broke off after %q: %w", answer, err)
		}
		if len(answer) > maxAnswerHead {
			return nil, fmt.Errorf("the head is longer than %d bytes", maxAnswerHead)
		}
	}
	body := make([]byte, len(greeting))
	if n, err := io.ReadFull(reader, body); err != nil {
		return nil, fmt.Errorf("the body broke off after %q: %w", body[:n], err)
	}
	return append(answer, body...), nil
}

// checkAnswer holds an answer against what all servers must send: the same status, the same
// fields but for the values of Server and Date (Server may be missing), the same body.
func checkAnswer(answer, exact []byte) error {
	if exact != nil {
		if !bytes.Equal(answer, exact) {
			return fmt.Errorf("the answer is %q, expected exactly %q", answer, exact)
		}
		return nil
	}
	response, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(answer)), nil)
	if err != nil {
		return fmt.Errorf("%q is not an HTTP response: %w", answer, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || string(body) != greeting {
		return fmt.Errorf("the body is %q, expected %q", body, greeting)
	}
	if response.Proto != "HTTP/1.1" || response.StatusCode != http.StatusOK {
		return fmt.Errorf("the status line says %s %s, expected HTTP/1.1 200 OK", response.Proto, response.Status)
	}
	return checkFields(response.Header)
}

func checkFields(header http.Header) error {
	expected := map[string]string{"Content-Type": "text/plain; charset=utf-8", "Content-Length": "13"}
	for name, value := range expected {
		if got := header.Values(name); len(got) != 1 || got[0] != value {
			return fmt.Errorf("%s is %q, expected %q once", name, got, value)
		}
	}
	if _, err := http.ParseTime(header.Get("Date")); err != nil {
		return fmt.Errorf("the answer has no valid Date: %w", err)
	}
	for name, values := range header {
		known := expected[name] != "" || name == "Date" || name == "Server"
		if !known || len(values) != 1 {
			return fmt.Errorf("the answer has %s with %q, which the other servers do not send", name, values)
		}
	}
	return nil
}
