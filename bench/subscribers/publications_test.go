package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

var testTime = time.Unix(1000, 0)

func newTestPublications(events, readers int) (p *publications, messages [][]byte) {
	p = &publications{size: 100, outstanding: map[int64]*publication{}}
	for range events {
		messages = append(messages, p.add(testTime, readers))
	}
	return p, messages
}

func TestDeliveriesAreCounted(t *testing.T) {
	p, messages := newTestPublications(2, 2)
	subscribers := make([]int64, 2)
	for i, message := range messages {
		if len(message) != 100 {
			t.Errorf("the message has %d bytes, expected 100", len(message))
		}
		for j := range subscribers {
			if err := p.deliver(&subscribers[j], message, testTime.Add(time.Millisecond)); err != nil {
				t.Fatalf("the delivery of event %d is refused: %v", i+1, err)
			}
			if missing, expected := p.missing(), int64(3-2*i-j); missing != expected {
				t.Errorf("after %d deliveries %d are missing, expected %d", 2*i+j+1, missing, expected)
			}
		}
	}
	if p.deliveries != 4 || len(p.outstanding) != 0 || p.latency.longest != 1000 {
		t.Errorf("there are %d deliveries, %d events outstanding, the longest latency is %d µs; expected 4, 0, 1000",
			p.deliveries, len(p.outstanding), p.latency.longest)
	}
}

func TestAnEventThatIsLeftOutIsMissing(t *testing.T) {
	p, messages := newTestPublications(3, 1)
	previous := int64(0)
	for _, i := range []int{0, 2} {
		if err := p.deliver(&previous, messages[i], testTime); err != nil {
			t.Fatalf("event %d is refused: %v", i+1, err)
		}
	}
	if p.missing() != 1 {
		t.Errorf("after events 1 and 3 of 3, %d deliveries are missing, expected 1", p.missing())
	}
	if err := p.deliver(&previous, messages[1], testTime); err == nil || !strings.Contains(err.Error(), "in order") {
		t.Errorf("event 2 after event 3 gives the error %v, expected that the order is wrong", err)
	}
}

func TestDeliverSeesWhatIsWrong(t *testing.T) {
	p, messages := newTestPublications(2, 2)
	tests := []struct {
		why       string
		previous  int64
		data      []byte
		complaint string
	}{
		{"an event again", 1, messages[0], "each once"},
		{"an event of somebody else", 0, []byte("hello"), "published here"},
		{"no number", 0, []byte(marker + "one"), "published here"},
		{"an event that was not published", 0, []byte(marker + "3 1 "), "what was published"},
		{"a changed event", 0, bytes.Replace(messages[1], []byte("xx"), []byte("xy"), 1), "what was published"},
		{"a cut event", 0, messages[1][:99], "what was published"},
	}
	for _, test := range tests {
		err := p.deliver(&test.previous, test.data, testTime)
		if err == nil || !strings.Contains(err.Error(), test.complaint) {
			t.Errorf("%s: the error is %v, expected one with %q", test.why, err, test.complaint)
		}
	}
	if p.deliveries != 0 || p.missing() != 4 {
		t.Errorf("%d deliveries were counted and %d are missing, expected 0 and 4", p.deliveries, p.missing())
	}
}
