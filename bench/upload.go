package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// uploadTo measures uploads in the role. They have as many bytes as the settings say, and with most
// above 0 never more than that.
func uploadTo(r role, most int64) func(context.Context, *harness, *contender) (sample, error) {
	return func(ctx context.Context, h *harness, c *contender) (result sample, err error) {
		size := h.settings.UploadBytes
		if most > 0 {
			size = min(size, most)
		}
		err = h.withServer(ctx, c, r, func(s *serverProcess) error {
			result, err = h.upload(ctx, s, size)
			return err
		})
		return result, err
	}
}

// upload posts large bodies, one after another on one connection, until the time is up.
func (h *harness) upload(ctx context.Context, s *serverProcess, size int64) (sample, error) {
	connection, err := dialUntilAccepted(ctx, s.address)
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	stopWatching := context.AfterFunc(ctx, func() { connection.Close() })
	defer stopWatching()
	up := &uploader{connection: connection, reader: bufio.NewReader(connection), block: echoBlock()}
	if err := up.post(echoPeriod); err != nil { // a short one first, to see that it is answered
		return nil, err
	}
	before, err := s.processorTime()
	if err != nil {
		return nil, err
	}
	started, count := time.Now(), 0
	for count == 0 || time.Since(started) < time.Duration(h.settings.Seconds)*time.Second {
		if err := up.post(size); err != nil {
			return nil, err
		}
		count++
	}
	seconds := time.Since(started).Seconds()
	after, err := s.processorTime()
	if err != nil {
		return nil, err
	}
	used := after.since(before)
	result := sample{
		keyBytesRate:   float64(count) * float64(size) / seconds,
		keyGibibyteCPU: used.total / (float64(count) * float64(size)) * (1 << 30),
		keyRate:        float64(count) / seconds,
		keyCoresUsed:   used.total / seconds / 1e6,
		keyFailed:      0, // any other number fails the measurement
	}
	used.addTo(result, float64(count))
	result[keyPeakMemory], err = s.peakResidentBytes()
	return result, err
}

// An uploader posts to /upload on one connection.
type uploader struct {
	connection net.Conn
	reader     *bufio.Reader
	block      []byte
}

// uploadTimeout is for one body, however slow the server.
const uploadTimeout = 2 * time.Minute

// post sends a body of size bytes and expects to be told its length.
func (u *uploader) post(size int64) error {
	if err := u.connection.SetDeadline(time.Now().Add(uploadTimeout)); err != nil {
		return err
	}
	sendErr := u.send(size)
	response, err := http.ReadResponse(u.reader, &http.Request{Method: http.MethodPost})
	if err != nil && sendErr != nil {
		return sendErr // there is no answer that would say why
	}
	if err != nil {
		return fmt.Errorf("there is no HTTP response to the upload: %w", err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("the answer to the upload broke off: %w", err)
	}
	told, expected := string(bytes.TrimSpace(text)), strconv.FormatInt(size, 10)
	contentType := response.Header.Get("Content-Type")
	if response.StatusCode != http.StatusOK || told != expected || !strings.HasPrefix(contentType, "text/plain") {
		return fmt.Errorf("the upload is answered with %s, %s, %q; expected 200, text/plain and %q",
			response.Status, contentType, told, expected)
	}
	return sendErr
}

func (u *uploader) send(size int64) error {
	head := fmt.Sprintf("POST /upload HTTP/1.1\r\nHost: localhost\r\n"+
		"Content-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n", size)
	if _, err := io.WriteString(u.connection, head); err != nil {
		return fmt.Errorf("the head of the upload cannot be sent: %w", err)
	}
	for sent := int64(0); sent < size; {
		n, err := u.connection.Write(u.block[:min(int64(len(u.block)), size-sent, 256<<10)])
		sent += int64(n)
		if err != nil {
			return fmt.Errorf("the upload broke off after %d of %d bytes: %w", sent, size, err)
		}
	}
	return nil
}
