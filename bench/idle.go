package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
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
			rest := time.NewTimer(idleRest)
			defer rest.Stop()
			select {
			case <-rest.C:
			case <-ctx.Done():
				return ctx.Err()
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
	ctx, cancel := context.WithTimeout(ctx, holderTimeout)
	defer cancel()
	connections := h.settings.IdleConnections
	holder := exec.CommandContext(ctx, h.holder,
		"-addr", address, "-connections", strconv.Itoa(connections), "-answer-length", strconv.Itoa(answerLength))
	var complaints bytes.Buffer
	holder.Stderr = &complaints
	commands, err := holder.StdinPipe()
	if err != nil {
		return err
	}
	reports, err := holder.StdoutPipe()
	if err != nil {
		return err
	}
	if err := holder.Start(); err != nil {
		return fmt.Errorf("the holder cannot be started: %w", err)
	}
	err = converse(commands, bufio.NewReader(reports), connections, use)
	commands.Close() // ends the holder
	if waitErr := holder.Wait(); waitErr != nil {
		err = fmt.Errorf("the holder failed: %w; it printed: %s", waitErr, strings.TrimSpace(complaints.String()))
	}
	return err
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
