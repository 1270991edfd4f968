package service

import (
	"regexp"
	"testing"
)

func TestBoard(t *testing.T) {
	var board Board
	gone, stays := board.Subscribe(), board.Subscribe()
	board.Publish([]byte("first"))
	board.Unsubscribe(gone)
	board.Publish([]byte("second"))
	for i, expected := range []string{`^id: \d{13}-1\ndata: first\n\n$`, `^id: \d{13}-2\ndata: second\n\n$`} {
		if event := <-stays; !regexp.MustCompile(expected).Match(event) {
			t.Errorf("event %d is %q, expected %s", i+1, event, expected)
		}
	}
	if len(gone) != 1 {
		t.Errorf("who has left got %d events, expected the one from before", len(gone))
	}
}

func TestASubscriberThatIsTooFarBehindLosesEvents(t *testing.T) {
	var board Board
	events := board.Subscribe()
	for range backlog + 3 {
		board.Publish([]byte("message"))
	}
	if len(events) != backlog {
		t.Errorf("%d events wait for the subscriber, expected %d", len(events), backlog)
	}
}
