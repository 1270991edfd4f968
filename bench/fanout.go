package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// fanoutTo publishes events one after another, each when all subscribers have got the one
// before, and takes the processor time that the server used for each delivery. There are most
// subscribers, or with 0 as many as the settings say, and never more than those.
func fanoutTo(most int) func(context.Context, *harness, *contender) (sample, error) {
	return func(ctx context.Context, h *harness, c *contender) (result sample, err error) {
		shape := audienceShape{
			readers: h.settings.Subscribers,
			running: time.Duration(1+h.settings.WarmUp+h.settings.Seconds) * time.Second,
		}
		if most > 0 {
			shape.readers = min(most, shape.readers)
		}
		err = h.withServer(ctx, c, roleFanout, func(s *serverProcess) error {
			return h.withAudience(ctx, s.address, shape, func(a *audience) error {
				result, err = h.fanOut(s, a)
				return err
			})
		})
		return result, err
	}
}

// fanOut makes the measurement while the subscribers are there.
func (h *harness) fanOut(s *serverProcess, a *audience) (sample, error) {
	if err := a.publish(); err != nil {
		return nil, err
	}
	if h.settings.WarmUp > 0 {
		if _, err := a.runComplete(h.settings.WarmUp); err != nil {
			return nil, fmt.Errorf("warming up: %w", err)
		}
	}
	before, err := s.processorTime()
	if err != nil {
		return nil, err
	}
	found, err := a.runComplete(h.settings.Seconds)
	if err != nil {
		return nil, err
	}
	after, err := s.processorTime()
	if err != nil {
		return nil, err
	}
	used := after.since(before)
	result := sample{
		keyDeliveryCPU:   used.total / float64(found.Deliveries),
		keyDeliveryRate:  float64(found.Deliveries) / found.Seconds,
		keyDeliveryBytes: float64(found.Bytes) / float64(found.Deliveries),
		keyCoresUsed:     used.total / found.Seconds / 1e6,
		keyFailed:        0, // a delivery that is missing fails the measurement
	}
	latencies{found.LatencyP50, found.LatencyP90, found.LatencyP99, found.LatencyP999, found.LatencyMax}.addTo(result, "")
	result[keyPeakMemory], err = s.peakResidentBytes()
	return result, err
}

// measureSubscribers reads what the server's resident memory grows by when many subscribers
// have each got their first event and then wait for the next. There is no warm-up: whatever the
// first requests make the server allocate counts, too. Of Penstock it then reads how many
// goroutines there are, and compares them with those of a server without subscribers.
func measureSubscribers(ctx context.Context, h *harness, c *contender) (sample, error) {
	result := sample{}
	figures := c.kind.figures[roleFanout]
	if figures != "" {
		var err error
		if result[keyGoroutinesBefore], err = h.goroutinesWithoutSubscribers(ctx, c, roleFanout); err != nil {
			return nil, err
		}
	}
	count := h.settings.Subscribers
	err := h.withServer(ctx, c, roleFanout, func(s *serverProcess) error {
		before, err := s.residentBytes()
		if err != nil {
			return err
		}
		return h.withAudience(ctx, s.address, audienceShape{readers: count}, func(a *audience) error {
			if err := a.publish(); err != nil {
				return err
			}
			if err := rest(ctx, idleRest); err != nil {
				return err
			}
			after, err := s.residentBytes()
			if err != nil {
				return err
			}
			result[keySubscriberMemory] = (after - before) / float64(count)
			result["resident_bytes_before"], result["resident_bytes_after"] = before, after
			if figures != "" {
				result[keyGoroutines], err = readGoroutines(ctx, s.address, figures)
				result[keyGoroutinesAdded] = result[keyGoroutines] - result[keyGoroutinesBefore]
			}
			return err
		})
	})
	return result, err
}

// goroutinesWithoutSubscribers counts them in a server of its own, which then answers nothing
// more: what the question costs must not look like the subscribers' memory.
func (h *harness) goroutinesWithoutSubscribers(ctx context.Context, c *contender, r role) (goroutines float64, err error) {
	err = h.withServer(ctx, c, r, func(s *serverProcess) error {
		if err := publishToNobody(ctx, s.address, "to nobody"); err != nil {
			return err
		}
		if err := rest(ctx, idleRest); err != nil { // the figures are up to a second old
			return err
		}
		goroutines, err = readGoroutines(ctx, s.address, c.kind.figures[r])
		return err
	})
	return goroutines, err
}

// publishToNobody publishes an event that no subscriber is there for, so that what the server
// starts with its first event does not look like the subscribers' doing.
func publishToNobody(ctx context.Context, address, message string) error {
	answer, err := ask(ctx, http.MethodPost, "http://"+address+"/publish", message)
	if err == nil && answer.status != http.StatusNoContent {
		err = fmt.Errorf("the server answers POST /publish with %d, expected 204", answer.status)
	}
	return err
}

// readGoroutines reads the number from what the path is answered with.
func readGoroutines(ctx context.Context, address, path string) (float64, error) {
	answer, err := ask(ctx, http.MethodGet, "http://"+address+path, "")
	if err != nil {
		return 0, err
	}
	var figures struct {
		Goroutines float64 `json:"goroutines"`
	}
	if err := json.Unmarshal(answer.body, &figures); err != nil {
		return 0, fmt.Errorf("the figures of the server (status %d) are not JSON: %w", answer.status, err)
	}
	if figures.Goroutines < 1 {
		return 0, fmt.Errorf("the figures of the server (status %d) say nothing of its goroutines", answer.status)
	}
	return figures.Goroutines, nil
}

// A plainAnswer is the answer to ask.
type plainAnswer struct {
	status int
	body   []byte
}

// ask makes one request, on a connection that is closed behind it.
func ask(ctx context.Context, method, url, body string) (plainAnswer, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return plainAnswer{}, err
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return plainAnswer{}, err // says the method, the address and what went wrong
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return plainAnswer{response.StatusCode, text}, err
}
