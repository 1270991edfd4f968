package server_test

import (
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/penstock-go/penstock/server"
)

// lineLog hands over each line that is logged.
type lineLog chan string

func (l lineLog) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}

// blockUntil is a handler that does what none may.
func blockUntil(open chan struct{}) server.Handler {
	return func(*server.Request) server.Response {
		<-open
		return server.Text(200, "at last")
	}
}

func TestWatchdogNamesTheRequestThatBlocked(t *testing.T) {
	log, open := make(lineLog, 64), make(chan struct{})
	_, bound := start(t, "tcp", "127.0.0.1:0", blockUntil(open), server.Options{
		Loops:             1,
		Logger:            slog.New(slog.NewTextHandler(log, nil)),
		WatchdogThreshold: time.Millisecond,
	})
	release := sync.OnceFunc(func() { close(open) })
	t.Cleanup(release) // ahead of the end of the server
	// A busy machine can keep the loop from ending a turn that does not block at all.
	want := func(why string, texts ...string) {
		t.Helper()
		for {
			select {
			case line := <-log:
				missing := 0
				for _, text := range texts {
					if !strings.Contains(line, text) {
						missing++
					}
				}
				if missing == 0 {
					return
				}
			case <-time.After(safety):
				t.Fatalf("%s: a line with %q should be logged", why, texts)
			}
		}
	}
	answered := make(chan struct{})
	c := dial(t, "tcp", bound)
	go func() {
		defer close(answered)
		ask(t, c, "GET /slow?x=1 HTTP/1.1\r\nHost: test\r\n\r\n")
	}()
	want("the handler blocks", "does not end", "blockUntil", "watchdog_test.go:")
	release()
	want("the handler has returned", "has ended", "blockUntil", "method=GET", `target="/slow?x=1"`)
	<-answered
}

func TestWatchdogIsSwitchedOff(t *testing.T) {
	log, open := make(lineLog, 64), make(chan struct{})
	close(open)
	_, bound := start(t, "tcp", "127.0.0.1:0", blockUntil(open), server.Options{
		Logger:            slog.New(slog.NewTextHandler(log, nil)),
		WatchdogThreshold: -1,
	})
	if _, body := ask(t, dial(t, "tcp", bound), rootRequest); body != "at last" || len(log) != 0 {
		t.Errorf("without a watchdog the server should answer and log nothing, and answered %q with %d lines", body, len(log))
	}
}
