package main

import (
	"encoding/json"
	"log/slog"
	"math"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/penstock-go/penstock/examples/internal/memory"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

const (
	tick           = 100 * time.Millisecond // how often the lag of the loops is measured
	ticksPerFigure = 10
	figuresKept    = 120 // two minutes of them
	longestFigures = 4 << 10
)

// A sample is the figures of one second.
type sample struct {
	Time           int64   `json:"time"`            // Unix milliseconds
	Connections    int     `json:"connections"`     // open now
	Requests       float64 `json:"requests"`        // each second
	Subscribers    int     `json:"subscribers"`     // of messages, now
	Delivered      float64 `json:"delivered"`       // events handed to subscribers each second
	DeliveredTotal uint64  `json:"delivered_total"` // since the start
	Dropped        uint64  `json:"dropped"`         // events that a subscriber was too slow for, since the start
	Lag            float64 `json:"lag"`             // the longest that a function posted to a loop has waited, milliseconds
	Memory         int64   `json:"memory"`          // resident, bytes
	Goroutines     int     `json:"goroutines"`
}

// figures measures the program and publishes what it finds, once a second. What it counts
// with is atomic and the encoded samples have a lock; the rest is owned by the goroutine
// that start makes.
type figures struct {
	topic    *pipeline.Topic[server.Event]
	messages *pipeline.Topic[server.Event]
	requests atomic.Uint64

	server       *server.Server
	lags         []*lag
	last         time.Time // of the latest sample
	lastRequests uint64
	latest       sample

	mutex   sync.Mutex
	encoded []string // the samples that are kept, as JSON, the oldest first
}

// newFigures makes the figures of a program whose messages go through a topic. Of the
// figures themselves a slow subscriber gets the latest.
func newFigures(messages *pipeline.Topic[server.Event]) *figures {
	return &figures{
		messages: messages,
		topic: server.NewTopic(longestFigures, pipeline.TopicOptions[server.Event]{
			Policy: pipeline.KeepLatest,
		}),
	}
}

// start measures whenever ticks gives, until stop is called; stop returns when no more
// will be measured.
func (f *figures) start(s *server.Server, ticks <-chan time.Time) (stop func()) {
	f.server, f.last = s, time.Now()
	for _, l := range s.Loops() {
		f.lags = append(f.lags, newLag(l, time.Now))
	}
	f.add(f.measure(f.last))
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for count := 1; ; count++ {
			select {
			case <-end:
				return
			case <-ticks:
			}
			if count%ticksPerFigure == 0 {
				f.publish(f.add(f.measure(time.Now())))
			}
			for _, l := range f.lags {
				l.measure()
			}
		}
	}()
	return func() {
		close(end)
		<-ended
	}
}

// measure makes a sample of what has happened since the one before.
func (f *figures) measure(now time.Time) sample {
	requests, messages, figures := f.requests.Load(), f.messages.Stats(), f.topic.Stats()
	next := sample{
		Time:           now.UnixMilli(),
		Connections:    f.server.Connections(),
		Subscribers:    messages.Subscribers,
		DeliveredTotal: messages.Delivered + figures.Delivered,
		Dropped:        messages.Dropped + figures.Dropped,
		Memory:         memory.Resident(),
		Goroutines:     runtime.NumGoroutine(),
	}
	if seconds := now.Sub(f.last).Seconds(); seconds > 0 {
		next.Requests = perSecond(requests-f.lastRequests, seconds)
		next.Delivered = perSecond(next.DeliveredTotal-f.latest.DeliveredTotal, seconds)
	}
	for _, l := range f.lags {
		next.Lag = max(next.Lag, float64(l.worst().Microseconds())/1000)
	}
	f.last, f.lastRequests, f.latest = now, requests, next
	return next
}

// perSecond is rounded to what is worth reading.
func perSecond(count uint64, seconds float64) float64 {
	return math.Round(10*float64(count)/seconds) / 10
}

// add keeps a sample, and returns it as JSON.
func (f *figures) add(s sample) string {
	encoded, err := json.Marshal(s)
	if err != nil {
		slog.Error("the figures could not be encoded", "error", err)
		return ""
	}
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if len(f.encoded) == figuresKept {
		f.encoded = append(f.encoded[:0], f.encoded[1:]...)
	}
	f.encoded = append(f.encoded, string(encoded))
	return string(encoded)
}

func (f *figures) publish(encoded string) {
	if err := f.topic.Publish(server.Event{Name: "figures", Data: encoded}); err != nil {
		slog.Error("the figures could not be published", "error", err)
	}
}

// current returns the latest sample as JSON. Any goroutine.
func (f *figures) current() string {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return f.encoded[len(f.encoded)-1]
}

// history returns the samples that are kept, as an array in JSON. Any goroutine.
func (f *figures) history() string {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return "[" + strings.Join(f.encoded, ",") + "]"
}
