package main

import (
	"encoding/json"
	"log/slog"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/penstock-go/penstock/examples/internal/memory"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

const longestSnapshot = 64 << 10 // bytes, as an event

// A snapshot is the gateway's counts at one moment.
type snapshot struct {
	Time        int64             `json:"time"`        // Unix milliseconds
	Connections int               `json:"connections"` // of clients, open now
	Requests    uint64            `json:"requests"`    // since the start
	InFlight    int64             `json:"in_flight"`   // requests whose answer is not finished
	Answers     map[string]uint64 `json:"answers"`     // by the first digit of their status; "none" are those whose client left before
	BytesOut    uint64            `json:"bytes_out"`   // of the answers' bodies, counted when an answer is finished
	Memory      int64             `json:"memory"`      // resident, bytes
	Goroutines  int               `json:"goroutines"`
	Upstreams   map[string]any    `json:"upstreams"`
}

// counts counts what the gateway does. Its layer runs on all loops; what it counts with is
// atomic.
type counts struct {
	topic    *pipeline.Topic[server.Event]
	requests atomic.Uint64
	finished atomic.Uint64
	bytes    atomic.Uint64
	onFinish func(status int, bytes int64) // finish, made once
	answers  [6]atomic.Uint64              // by the first digit of the status; 0 is none
}

// newCounts makes counts whose snapshots, once published, reach a slow subscriber as the
// latest only.
func newCounts() *counts {
	c := &counts{topic: server.NewTopic(longestSnapshot, pipeline.TopicOptions[server.Event]{Policy: pipeline.KeepLatest})}
	c.onFinish = c.finish
	return c
}

// layer counts what passes through it.
func (c *counts) layer(h server.Handler) server.Handler {
	return func(r *server.Request) server.Response {
		c.requests.Add(1)
		r.OnFinish(c.onFinish)
		return h(r)
	}
}

func (c *counts) finish(status int, bytes int64) {
	c.finished.Add(1)
	c.bytes.Add(uint64(bytes))
	if digit := status / 100; digit < len(c.answers) {
		c.answers[digit].Add(1)
	}
}

// snapshot reads the counts. Any goroutine.
func (c *counts) snapshot(now time.Time, s *server.Server, services map[string]*service) snapshot {
	finished := c.finished.Load() // before requests: none is finished that has not begun
	next := snapshot{
		Time:        now.UnixMilli(),
		Connections: s.Connections(),
		Requests:    c.requests.Load(),
		Answers:     make(map[string]uint64),
		BytesOut:    c.bytes.Load(),
		Memory:      memory.Resident(),
		Goroutines:  runtime.NumGoroutine(),
		Upstreams:   make(map[string]any),
	}
	next.InFlight = int64(next.Requests - finished)
	for digit, name := range [...]string{"none", "1xx", "2xx", "3xx", "4xx", "5xx"} {
		if n := c.answers[digit].Load(); n > 0 {
			next.Answers[name] = n
		}
	}
	for name, s := range services {
		next.Upstreams[name] = s.counts()
	}
	return next
}

// publish sends a snapshot to who follows them.
func (c *counts) publish(s snapshot) {
	encoded, err := json.Marshal(s)
	if err == nil {
		err = c.topic.Publish(server.Event{Name: "counts", Data: string(encoded)})
	}
	if err != nil {
		slog.Error("the counts could not be published", "error", err)
	}
}
