package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

const (
	echoBytesPerSecond = 10_000_000
	// The client's socket buffers are kept small, else a short body would fit in the
	// kernel's and nothing would hold the server back.
	echoSocketBuffer = 128 << 10
	// The body repeats after this many bytes, a prime, so that no buffer's worth of bytes
	// can be lost or doubled without being seen.
	echoPeriod = 1_000_003
)

// measureEcho posts a large body as fast as the server takes it, reads the echo slowly, and
// reads the most memory the server ever had resident.
func measureEcho(ctx context.Context, h *harness, c *contender) (sample, error) {
	var result sample
	err := h.withServer(ctx, c, roleEcho, func(s *serverProcess) error {
		connection, err := dialUntilAccepted(ctx, s.address)
		if err != nil {
			return err
		}
		defer connection.Close()
		stopWatching := context.AfterFunc(ctx, func() { connection.Close() })
		defer stopWatching()
		started := time.Now()
		underWay, err := runEcho(connection.(*net.TCPConn), h.settings.EchoBytes, echoBytesPerSecond)
		if err != nil {
			return err
		}
		peak, err := s.peakResidentBytes()
		result = sample{
			keyPeakMemory:  peak,
			keyUnderWay:    float64(underWay),
			keyEchoSeconds: time.Since(started).Seconds(),
		}
		return err
	})
	return result, err
}

// runEcho posts size bytes to /echo and checks that they come back, reading no faster than
// rate bytes a second. It returns the most bytes that were sent and not yet read at a time.
func runEcho(connection *net.TCPConn, size, rate int64) (underWay int64, err error) {
	if err := shrinkBuffers(connection); err != nil {
		return 0, err
	}
	slack := time.Duration(3*size/rate)*time.Second + time.Minute
	if err := connection.SetDeadline(time.Now().Add(slack)); err != nil {
		return 0, err
	}
	block := echoBlock()
	sender := &echoSender{connection: connection}
	sending := make(chan error, 1)
	go func() { sending <- sender.send(block, size) }()

	limited := newLimitedReader(connection, rate)
	defer limited.stop()
	err = receiveEcho(limited, block, size, func(received int64) {
		underWay = max(underWay, sender.sent.Load()-received)
	})
	if err != nil {
		connection.Close() // a sender that waits for room ends
		<-sending
		return 0, err
	}
	return underWay, <-sending
}

func shrinkBuffers(connection *net.TCPConn) error {
	if err := connection.SetReadBuffer(echoSocketBuffer); err != nil {
		return fmt.Errorf("the client's receive buffer cannot be set: %w", err)
	}
	if err := connection.SetWriteBuffer(echoSocketBuffer); err != nil {
		return fmt.Errorf("the client's send buffer cannot be set: %w", err)
	}
	return nil
}

// echoBlock returns one period of the body.
func echoBlock() []byte {
	block := make([]byte, echoPeriod)
	random := rand.NewChaCha8([32]byte([]byte("penstock echo body, one period. ")))
	random.Read(block) // never fails
	return block
}

// An echoSender writes the request in its own goroutine; sent may be read from any other.
type echoSender struct {
	connection io.Writer
	sent       atomic.Int64 // bytes of the body
}

func (e *echoSender) send(block []byte, size int64) error {
	head := fmt.Sprintf("POST /echo HTTP/1.1\r\nHost: localhost\r\n"+
		"Content-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n", size)
	if _, err := io.WriteString(e.connection, head); err != nil {
		return fmt.Errorf("the head of the request cannot be sent: %w", err)
	}
	for sent := int64(0); sent < size; {
		rest := block[sent%echoPeriod:]
		n, err := e.connection.Write(rest[:min(int64(len(rest)), size-sent, 64<<10)])
		sent += int64(n)
		e.sent.Store(sent)
		if err != nil {
			return fmt.Errorf("the body broke off after %d of %d bytes sent: %w", sent, size, err)
		}
	}
	return nil
}

// receiveEcho reads the response, whatever its framing, and compares its body with what was
// sent. It calls progress with the bytes received so far.
func receiveEcho(connection io.Reader, block []byte, size int64, progress func(received int64)) error {
	response, err := http.ReadResponse(bufio.NewReader(connection), &http.Request{Method: http.MethodPost})
	if err != nil {
		return fmt.Errorf("there is no HTTP response to the echo: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the echo's status is %s, expected 200", response.Status)
	}
	buffer := make([]byte, 64<<10)
	received := int64(0)
	for {
		n, err := response.Body.Read(buffer)
		for got := buffer[:n]; len(got) > 0; {
			expected := block[received%echoPeriod:]
			expected = expected[:min(len(expected), len(got))]
			if !bytes.Equal(got[:len(expected)], expected) {
				return fmt.Errorf("the echo differs from what was sent within %d bytes after byte %d", len(expected), received)
			}
			got = got[len(expected):]
			received += int64(len(expected))
		}
		progress(received)
		if err == io.EOF && received == size {
			return nil
		}
		if err != nil {
			return fmt.Errorf("the echo ended after %d of %d bytes: %w", received, size, err)
		}
		if received > size {
			return fmt.Errorf("the echo has at least %d bytes, expected %d", received, size)
		}
	}
}
