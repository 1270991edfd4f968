package main

import (
	"context"
	"fmt"
	"strings"
	"time"
)

const (
	soakRate = 4 // events a second
	// Long enough that what a stalled subscriber's connection can hold is full within two
	// minutes, see subscribers/audience_linux.go.
	soakMessageSize = 1000
	// Of 10,000 subscribers 100 never read.
	soakStalledShare = 100
	// The server's board keeps the last 500 messages. It is full before the memory is looked
	// at, since its filling is no growth.
	soakMessagesBefore = 500
)

// A soakRun is what one long run found.
type soakRun struct {
	latencyP50, latencyP99, latencyMax float64 // microseconds
	missing, reopened, events          float64
	memory                             memorySeries
}

// measureSoak publishes at a steady rate for a long time, to readers and to some subscribers
// that never read, and then to the same readers alone.
func measureSoak(ctx context.Context, h *harness, c *contender) (sample, error) {
	stalled := max(h.settings.Subscribers/soakStalledShare, 1)
	readers := max(h.settings.Subscribers-stalled, 1)
	with, err := h.soak(ctx, c, readers, stalled)
	if err != nil {
		return nil, fmt.Errorf("with %d stalled subscribers: %w", stalled, err)
	}
	without, err := h.soak(ctx, c, readers, 0)
	if err != nil {
		return nil, fmt.Errorf("without stalled subscribers: %w", err)
	}
	result := sample{
		keySoakLatencyRatio: with.latencyP99 / max(without.latencyP99, 1),
		keySoakMissing:      with.missing + without.missing,
		keySoakReopened:     with.reopened,
		keySoakGrowth:       with.memory.growth(),
		keySoakGrowthRatio:  with.memory.growthRatio(),
	}
	with.describe(result, keySoakWith)
	without.describe(result, keySoakWithout)
	return result, nil
}

// describe adds what the run found to the sample, under keys that begin with the prefix.
func (r *soakRun) describe(result sample, prefix string) {
	result[prefix+keyLatencyP50] = r.latencyP50
	result[prefix+keyLatencyP99] = r.latencyP99
	result[prefix+keyLatencyMax] = r.latencyMax
	result[prefix+"missing"] = r.missing
	result[prefix+"events"] = r.events
	result[prefix+"resident_bytes_early"] = r.memory.early()
	result[prefix+"resident_bytes_at_end"] = r.memory.last()
	result[prefix+"resident_bytes_most"] = r.memory.most()
}

// soak makes one of the two runs.
func (h *harness) soak(ctx context.Context, c *contender, readers, stalled int) (*soakRun, error) {
	seconds := h.settings.SoakSeconds
	shape := audienceShape{
		readers:     readers,
		stalled:     stalled,
		messageSize: soakMessageSize,
		rate:        soakRate,
		progress:    soakInterval(seconds),
		running:     time.Duration(seconds) * time.Second,
	}
	var result *soakRun
	err := h.withServer(ctx, c, roleFanout, func(s *serverProcess) error {
		for range soakMessagesBefore {
			if err := publishToNobody(ctx, s.address, strings.Repeat("-", soakMessageSize)); err != nil {
				return err
			}
		}
		return h.withAudience(ctx, s.address, shape, func(a *audience) error {
			if err := a.publish(); err != nil {
				return err
			}
			h.say("soak, %s: %d subscribers that read and %d that do not, for %d s", c.label, readers, stalled, seconds)
			var memory memorySeries
			look := func() error {
				resident, err := s.residentBytes()
				memory = append(memory, resident)
				return err
			}
			found, err := a.run(seconds, look)
			if err == nil {
				err = look()
			}
			result = &soakRun{
				latencyP50: found.LatencyP50, latencyP99: found.LatencyP99, latencyMax: found.LatencyMax,
				missing: float64(found.Missing), reopened: float64(found.Reopened), events: float64(found.Events),
				memory: memory,
			}
			return err
		})
	})
	return result, err
}

// soakInterval is how often the memory is read: every five seconds, oftener in a short run.
func soakInterval(seconds int) time.Duration {
	return min(max(time.Duration(seconds)*time.Second/10, 100*time.Millisecond), 5*time.Second)
}

// A memorySeries is a server's resident memory, in bytes, read at a steady interval; not empty.
type memorySeries []float64

// early is the memory after a tenth of the run, one minute of ten: what the server needs for
// all that is going on it has by then.
func (m memorySeries) early() float64 { return m[len(m)/10] }

func (m memorySeries) last() float64 { return m[len(m)-1] }

func (m memorySeries) most() float64 {
	most := m[0]
	for _, bytes := range m {
		most = max(most, bytes)
	}
	return most
}

func (m memorySeries) growth() float64 { return m.last() - m.early() }

func (m memorySeries) growthRatio() float64 { return m.last() / m.early() }
