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
	idleStepRest  = time.Second // of each number of connections
	holderTimeout = 2 * time.Minute
)

// idleSteps are the numbers of connections that the memory is read at, up to those of the
// settings.
func idleSteps(most int) []int {
	var steps []int
	for _, count := range []int{1000, 5000, 15000} {
		if count < most {
			steps = append(steps, count)
		}
	}
	return append(steps, most)
}

// measureIdle reads what the server's resident memory grows by when more and more connections
// have each been answered once and then stay open. There is no warm-up: whatever the first
// requests make the server allocate counts, too.
func measureIdle(ctx context.Context, h *harness, c *contender) (sample, error) {
	result := sample{}
	most := h.settings.IdleConnections
	l := load{asks: askGreeting}
	err := h.withCheckedServer(ctx, c, roleHello, l, func(s *serverProcess, answer []byte) error {
		look := func(connections int) (err error) {
			result[keyResidentAt(connections)], err = s.residentBytes()
			return err
		}
		if err := look(0); err != nil {
			return err
		}
		err := h.whileHeld(ctx, s.address, len(answer), func(hold func(count int) error) error {
			for _, count := range idleSteps(most) {
				if err := hold(count); err != nil {
					return err
				}
				if err := rest(ctx, idleStepRest); err != nil {
					return err
				}
				if err := look(count); err != nil {
					return err
				}
			}
			return nil
		})
		result[keyIdleMemory] = (result[keyResidentAt(most)] - result[keyResidentAt(0)]) / float64(most)
		return err
	})
	return result, err
}

// whileHeld runs use while the holder program keeps connections open and idle. hold makes the
// holder open more, until there are count. In the end the holder makes sure that all are
// still open.
func (h *harness) whileHeld(ctx context.Context, address string, answerLength int,
	use func(hold func(count int) error) error) error {
	arguments := []string{"-addr", address, "-answer-length", strconv.Itoa(answerLength)}
	return withClient(ctx, h.holder, arguments, holderTimeout,
		func(commands io.Writer, reports *bufio.Reader) error { return converse(commands, reports, use) })
}

// converse is the harness's side of the holder's protocol, which holder/main.go describes.
func converse(commands io.Writer, reports *bufio.Reader, use func(hold func(count int) error) error) error {
	held := 0
	err := use(func(count int) error {
		held = count
		return command(commands, reports, fmt.Sprintf("hold %d", count), fmt.Sprintf("held %d", count))
	})
	if err != nil {
		return err
	}
	return command(commands, reports, "check", fmt.Sprintf("open %d", held))
}

func command(commands io.Writer, reports *bufio.Reader, line, expected string) error {
	if _, err := io.WriteString(commands, line+"\n"); err != nil {
		return fmt.Errorf("the holder takes no command: %w", err)
	}
	return expectReport(reports, expected)
}

func expectReport(reports *bufio.Reader, expected string) error {
	line, err := reports.ReadString('\n')
	if got := strings.TrimSpace(line); got != expected {
		return fmt.Errorf("the holder reported %q, expected %q (%v)", got, expected, err)
	}
	return nil
}
