package main

import (
	"io"
	"net/http"

	"github.com/penstock-go/penstock/bench/internal/service"
)

// events answers GET /events, with a Flush after each event.
func events(board *service.Board, w http.ResponseWriter, r *http.Request) {
	events := board.Subscribe()
	defer board.Unsubscribe(events)
	w.Header().Set("Content-Type", service.TypeEvents)
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

// publish answers POST /publish.
func publish(board *service.Board, w http.ResponseWriter, r *http.Request) {
	message, err := io.ReadAll(http.MaxBytesReader(w, r.Body, service.MaxMessage))
	if err != nil {
		http.Error(w, "the message cannot be read, or is longer than 4 KiB", http.StatusRequestEntityTooLarge)
		return
	}
	board.Publish(message)
	w.WriteHeader(http.StatusNoContent)
}
