package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// How long connections rest, answered and idle, before the server's memory is read; and how
// long the holder may take for all of it.
const (
	idleRest      = 2 * time.Second
	holderTimeout = 2 * time.Minute
)

// measureIdle reads what the server's resident memory grows by when many connections have
// each been answered once and then stay open. There is no warm-up: whatever the first
// requests make the server allocate counts, too.
func measureIdle(ctx context.Context, h *harness, c *contender) (sample, error) {
	var result sample
	err := h.withCheckedServer(ctx, c, func(s *serverProcess, answer []byte) error {
		before, err := residentBytes(s.pid())
		if err != nil {
			return err
		}
		var after float64
		err = h.whileHeld(ctx, s.address, len(answer), func() error {
			if err := rest(ctx, idleRest); err != nil {
				return err
			}
			after, err = residentBytes(s.pid())
			return err
		})
		result = sample{
			keyIdleMemory:           (after - before) / float64(h.settings.IdleConnections),
			"resident_bytes_before": before,
			"resident_bytes_after":  after,
		}
		return err
	})
	return result, err
}

// whileHeld runs use while the holder program keeps the connections open and idle, and then
// makes sure that they were all open to the end.
func (h *harness) whileHeld(ctx context.Context, address string, answerLength int, use func() error) error {
	connections := h.settings.IdleConnections
	arguments := []string{"-addr", address, "-connections", strconv.Itoa(connections), "-answer-length", strconv.Itoa(answerLength)}
	return withClient(ctx, h.holder, arguments, holderTimeout, func(commands io.Writer, reports *bufio.Reader) error {
		return converse(commands, reports, connections, use)
	})
}

// converse is the harness's side of the holder's protocol, which holder/main.go describes.
func converse(commands io.Writer, reports *bufio.Reader, connections int, use func() error) error {
	if err := expectReport(reports, fmt.Sprintf("held %d", connections)); err != nil {
		return err
	}
	if err := use(); err != nil {
		return err
	}
	if _, err := io.WriteString(commands, "check\n"); err != nil {
		return fmt.Errorf("the holder takes no command: %w", err)
	}
	return expectReport(reports, fmt.Sprintf("open %d", connections))
}

func expectReport(reports *bufio.Reader, expected string) error {
	line, err := reports.ReadString('\n')
	if got := strings.TrimSpace(line); got != expected {
		return fmt.Errorf("the holder reported %q, expected %q (%v)", got, expected, err)
	}
	return nil
}
