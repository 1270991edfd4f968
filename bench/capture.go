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

// requestOf returns the bytes of one request as the load's tool sends it. That wrk pipelines
// exactly these bytes, as often as it should, is checked too.
func (h *harness) requestOf(ctx context.Context, l load) ([]byte, error) {
	if l.tool == toolNone {
		return l.asks.request(), nil
	}
	key := fmt.Sprint(l.tool, l.asks.requestMethod(), l.asks.path, l.depth, l.keepAlive)
	if known, found := h.requests[key]; found {
		return known, nil
	}
	alone := l
	alone.connections, alone.depth = 1, 1
	single, err := h.capture(ctx, alone, 1)
	if err != nil {
		return nil, err
	}
	if l.depth > 1 {
		alone.depth = l.depth
		many, err := h.capture(ctx, alone, l.depth)
		if err != nil {
			return nil, err
		}
		if !bytes.Equal(many, bytes.Repeat(single, l.depth)) {
			return nil, fmt.Errorf("%s pipelines %q, expected %d times %q", l.tool, many, l.depth, single)
		}
	}
	h.requests[key] = single
	return single, nil
}

// capture lets the tool send to a listener that never answers, and returns the bytes of so
// many requests.
func (h *harness) capture(ctx context.Context, l load, count int) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("no listener to see the request of %s: %w", l.tool, err)
	}
	defer listener.Close()
	stopWatching := context.AfterFunc(ctx, func() { listener.Close() })
	defer stopWatching()
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		h.run(ctx, listener.Addr().String(), l, 1) // fails: it gets no answer
	}()
	defer func() { cancel(); <-finished }()
	for {
		connection, err := listener.Accept()
		if err != nil {
			return nil, fmt.Errorf("%s sent no request: %w", l.tool, err)
		}
		bytesSent, err := readRequests(connection, count)
		connection.Close()
		// wrk first connects without sending anything, to see whether it can.
		if err == nil {
			return bytesSent, nil
		}
		if len(bytesSent) > 0 {
			return nil, fmt.Errorf("the request of %s broke off after %q: %w", l.tool, bytesSent, err)
		}
	}
}

// readRequests reads so many requests, bodies included, and returns their bytes.
func readRequests(connection net.Conn, count int) ([]byte, error) {
	if err := connection.SetReadDeadline(time.Now().Add(answerTimeout)); err != nil {
		return nil, err
	}
	var sent bytes.Buffer
	reader := bufio.NewReader(io.TeeReader(connection, &sent))
	for range count {
		request, err := http.ReadRequest(reader)
		if err == nil {
			_, err = io.Copy(io.Discard, request.Body)
		}
		if err != nil {
			return sent.Bytes(), err
		}
	}
	return sent.Bytes()[:sent.Len()-reader.Buffered()], nil
}
