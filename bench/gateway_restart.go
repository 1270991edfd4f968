package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

const (
	steadyRate = 200 // requests per second
	// steadyPatience is longer than any outage and what a gateway needs to notice its end.
	steadyPatience = 20 * time.Second
)

// An outageShape says when the upstream is away.
type outageShape struct{ around, outage time.Duration } // before and behind it

func outageOf(s settings) outageShape {
	seconds := time.Duration(s.Seconds) * time.Second
	return outageShape{around: min(seconds/2, 5*time.Second/2), outage: min(seconds, 3*time.Second)}
}

// measureGatewayRestart asks a gateway for so many things a second, whether or not it answers, while
// its upstream is stopped and after some time started again.
func measureGatewayRestart(ctx context.Context, h *harness, c *contender) (sample, error) {
	result := sample{}
	shape := outageOf(h.settings)
	err := h.withGateway(ctx, c, roleGateway, func(gateway, upstream *serverProcess) error {
		if _, err := loadForwarded.check(loadForwarded.asks.request(), nil).run(ctx, gateway.address); err != nil {
			return fmt.Errorf("the gateway does not answer before the outage: %w", err)
		}
		load := newSteadyLoad("http://" + gateway.address + "/")
		defer load.close()
		asking, stop := context.WithCancel(ctx)
		defer stop()
		finished := make(chan struct{})
		go func() {
			defer close(finished)
			load.run(asking, ctx)
		}()
		err := rest(ctx, shape.around)
		if err == nil {
			err = upstream.restart(ctx, shape.outage)
		}
		if err == nil {
			err = rest(ctx, shape.around)
		}
		stop()
		<-finished
		if err != nil {
			return err
		}
		if load.failed > 0 {
			h.say("%s: %d of %d requests failed, the first of them so: %v", c.label, load.failed, load.asked, load.firstFailure)
		}
		result[keyAsked], result[keyFailed] = float64(load.asked), float64(load.failed)
		result[keyLatencyMax] = float64(load.longest.Microseconds())
		return nil
	})
	return result, err
}

// A steadyLoad asks at a fixed rate, each request in a goroutine of its own, so that one that waits
// for its answer does not put off the next. Its counts may be read when run has returned.
type steadyLoad struct {
	url    string
	client *http.Client

	mu           sync.Mutex
	asked        int
	failed       int
	firstFailure error
	longest      time.Duration
}

func newSteadyLoad(url string) *steadyLoad {
	return &steadyLoad{url: url, client: &http.Client{
		Timeout:   steadyPatience,
		Transport: &http.Transport{MaxIdleConnsPerHost: steadyRate, DisableCompression: true},
	}}
}

func (l *steadyLoad) close() { l.client.CloseIdleConnections() }

// run asks until asking is over, and returns when all requests are answered or have failed, which they
// do at the end of ctx.
func (l *steadyLoad) run(asking, ctx context.Context) {
	var waiting sync.WaitGroup
	defer waiting.Wait()
	ticker := time.NewTicker(time.Second / steadyRate)
	defer ticker.Stop()
	started := time.Now()
	for {
		select {
		case <-asking.Done():
			return
		case <-ticker.C:
		}
		// A ticker that was not heard in time is not made up for, so the time says how many are due.
		for due := int(time.Since(started).Seconds() * steadyRate); l.asked < due; l.asked++ {
			waiting.Go(func() { l.ask(ctx) })
		}
	}
}

func (l *steadyLoad) ask(ctx context.Context) {
	started := time.Now()
	err := l.exchange(ctx)
	took := time.Since(started)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		l.longest = max(l.longest, took)
		return
	}
	l.failed++
	if l.firstFailure == nil {
		l.firstFailure = err
	}
}

// exchange makes one request and holds its answer against the greeting.
func (l *steadyLoad) exchange(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, l.url, nil)
	if err != nil {
		return err
	}
	response, err := l.client.Do(request)
	if err != nil {
		return err // says the method, the address and what went wrong
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("the answer broke off: %w", err)
	}
	if response.StatusCode != http.StatusOK || string(text) != greeting {
		return fmt.Errorf("the answer is %s with %d bytes, expected 200 and the greeting", response.Status, len(text))
	}
	return nil
}
