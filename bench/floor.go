package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// prepareFloor sets what the floor is told in the scenario: when it answers requests there, how
// long a request is and what to answer, the bytes of the first other server, Penstock by
// default, so that both send the same.
func (h *harness) prepareFloor(ctx context.Context, s *scenario) error {
	h.floor = floorInput{threads: h.settings.Processors}
	taking := s.contendersOf(h.contenders)
	if s.load.asks.path == "" || !slices.ContainsFunc(taking, func(c *contender) bool { return c.kind.isFloor }) {
		return nil
	}
	request, err := h.requestOf(ctx, s.load)
	if err != nil {
		return err
	}
	answer, lender := standInAnswer(s.load.asks), "nobody"
	for _, c := range taking {
		if c.kind.isFloor {
			continue
		}
		if answer, err = h.borrowAnswer(ctx, c, s); err != nil {
			h.say("the floor cannot have the answer of %s: %v", c.label, err)
			answer = standInAnswer(s.load.asks)
			continue // it fails when its turn comes, too, and others may lend theirs
		}
		lender = c.label
		break
	}
	h.floor.answerFile, h.floor.requestLength = filepath.Join(h.folder, "answer"), len(request)
	h.floor.closes = s.load.closes()
	if err := os.WriteFile(h.floor.answerFile, answer, 0o600); err != nil {
		return fmt.Errorf("the floor's answer cannot be written: %w", err)
	}
	h.say("the floor answers with %d bytes of %s to every %d bytes of requests", len(answer), lender, len(request))
	return nil
}

func (h *harness) borrowAnswer(ctx context.Context, c *contender, s *scenario) (answer []byte, err error) {
	l := s.load.of(c.kind)
	request, err := h.requestOf(ctx, l)
	if err != nil {
		return nil, err
	}
	err = h.withServer(ctx, c, s.role, func(server *serverProcess) error {
		answer, err = l.check(request, nil).run(ctx, server.address)
		return err
	})
	return answer, err
}

// standInAnswer is what the floor answers with when there is no server whose answer it could
// borrow. Of a long answer it is the head, as of a borrowed one.
func standInAnswer(asks exchange) []byte {
	contentType := asks.contentType
	if contentType == "" {
		contentType = "application/octet-stream"
	}
	answer := fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nServer: floor\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"+
		"Content-Type: %s\r\nContent-Length: %d\r\n\r\n", contentType, asks.answerLength())
	if asks.answerLength() <= maxKeptBody {
		answer = append(answer, bytes.Repeat(asks.block, asks.repeats)...)
	}
	return answer
}

// closes says that the server closes each connection behind its answer.
func (l load) closes() bool { return l.tool == toolAB && !l.keepAlive }

// check returns how the answers to the request are checked before they are timed.
func (l load) check(request, exact []byte) *check {
	times := pipelineDepth
	switch {
	case l.asks.takesLong:
		times = 0
	case l.tool == toolAB || l.asks.answerLength() > maxKeptBody:
		times = 1
	}
	return &check{
		request: request, asks: l.asks, exact: exact, times: times,
		speaks10: l.tool == toolAB, closes: l.closes(),
	}
}
