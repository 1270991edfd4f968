package service

import (
	"fmt"
	"sync"
	"time"
)

// backlog is how many events a subscriber may be behind. Further ones are lost to it.
const backlog = 16

// A Board sends every message to all who listen, as it is commonly written: a goroutine and a
// buffered channel for each. Its zero value has no subscribers. Safe for use by many goroutines.
type Board struct {
	mu          sync.Mutex
	counter     int
	subscribers map[chan []byte]struct{}
}

// Subscribe returns a channel that gets the bytes of every event published from now on, as
// they are sent to a client. They must not be changed. The caller calls Unsubscribe.
func (b *Board) Subscribe() chan []byte {
	events := make(chan []byte, backlog)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.subscribers == nil {
		b.subscribers = map[chan []byte]struct{}{}
	}
	b.subscribers[events] = struct{}{}
	return events
}

// Unsubscribe ends what Subscribe began. The channel gets nothing after it, nor is it closed.
func (b *Board) Unsubscribe(events chan []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.subscribers, events)
}

// Publish makes the message, of one line, an event. Its bytes are those that Penstock sends.
func (b *Board) Publish(message []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.counter++
	event := fmt.Appendf(nil, "id: %d-%d\ndata: %s\n\n", time.Now().UnixMilli(), b.counter, message)
	for events := range b.subscribers {
		select {
		case events <- event:
		default:
		}
	}
}
