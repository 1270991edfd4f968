package main

import (
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

const (
	maxMessage = 4 << 10
	// How many events a subscriber may be behind. Further ones are lost to it.
	backlog = 16
)

// A board sends every message to all who listen: a goroutine and a buffered channel for each,
// and a Flush after each event, as it is commonly written. Safe for use by many goroutines.
type board struct {
	mu          sync.Mutex
	counter     int
	subscribers map[chan []byte]struct{}
}

func newBoard() *board { return &board{subscribers: map[chan []byte]struct{}{}} }

func (b *board) subscribe() chan []byte {
	events := make(chan []byte, backlog)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.subscribers[events] = struct{}{}
	return events
}

func (b *board) unsubscribe(events chan []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.subscribers, events)
}

// events answers GET /events.
func (b *board) events(w http.ResponseWriter, r *http.Request) {
	events := b.subscribe()
	defer b.unsubscribe(events)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-cache")
	stream := http.NewResponseController(w)
	if stream.Flush() != nil {
		return
	}
	for {
		select {
		case event := <-events:
			if _, err := w.Write(event); err != nil || stream.Flush() != nil {
				return
			}
		case <-r.Context().Done():
			return
		}
	}
}

// publish answers POST /publish. The bytes of an event are those that Penstock sends.
func (b *board) publish(w http.ResponseWriter, r *http.Request) {
	message, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxMessage))
	if err != nil {
		http.Error(w, "the message cannot be read, or is longer than 4 KiB", http.StatusRequestEntityTooLarge)
		return
	}
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
	w.WriteHeader(http.StatusNoContent)
}
