package main

import (
	"context"
	"time"
)

// mostStreams keeps a gateway, which has two descriptors for each stream, below the 20,000 that a
// process may commonly have open.
const mostStreams = 9900

// streamsRest is how long all streams have waited when the memory of each is read, 5 s with the
// ordinary settings: a gateway may take some seconds to give back what opening them has left behind.
func streamsRest(s settings) time.Duration { return time.Duration(2*s.Seconds-1) * time.Second }

// streamSteps are the numbers of streams that the gateway's memory is read at.
func streamSteps(s settings) []int {
	var steps []int
	most := min(s.Subscribers, mostStreams)
	for _, count := range []int{1000, 5000} {
		if count < most {
			steps = append(steps, count)
		}
	}
	return append(steps, most)
}

// measureGatewayStreams reads what a gateway's resident memory grows by when more and more streams
// of events go through it, each of which gets an event and then waits. There is no warm-up:
// whatever the first requests make the gateway allocate counts, too.
func measureGatewayStreams(ctx context.Context, h *harness, c *contender) (sample, error) {
	result := sample{}
	figures := c.kind.figures[roleEventGateway]
	if figures != "" {
		var err error
		if result[keyGoroutinesBefore], err = h.goroutinesWithoutSubscribers(ctx, c, roleEventGateway); err != nil {
			return nil, err
		}
	}
	steps := streamSteps(h.settings)
	err := h.withServer(ctx, c, roleEventGateway, func(s *serverProcess) (err error) {
		if result[keyResidentAt(0)], err = s.residentBytes(); err != nil {
			return err
		}
		return h.withAudience(ctx, s.address, audienceShape{readers: steps[0]}, func(a *audience) error {
			open := steps[0]
			for _, count := range steps {
				if count > open {
					if err := a.grow(count - open); err != nil {
						return err
					}
					open = count
				}
				if err := a.publish(); err != nil {
					return err
				}
				pause := idleStepRest
				if open == steps[len(steps)-1] {
					pause = streamsRest(h.settings)
				}
				if err := rest(ctx, pause); err != nil {
					return err
				}
				if result[keyResidentAt(count)], err = s.residentBytes(); err != nil {
					return err
				}
			}
			result[keyStreamMemory] = (result[keyResidentAt(open)] - result[keyResidentAt(0)]) / float64(open)
			if figures != "" {
				result[keyGoroutines], err = readGoroutines(ctx, s.address, figures)
				result[keyGoroutinesAdded] = result[keyGoroutines] - result[keyGoroutinesBefore]
			}
			return err
		})
	})
	return result, err
}
