package main

import (
	"context"
	"time"
)

const (
	gatewayReaders    = 50
	gatewayReaderPath = "/report"
)

// gatewayReadingTime is 10 s with the ordinary settings: the memory that a gateway needs shows only
// when the kernel's buffers are full.
func gatewayReadingTime(s settings) time.Duration { return time.Duration(4*s.Seconds-2) * time.Second }

// measureGatewayReaders lets slow clients download from an upstream that sends as fast as it may,
// through a gateway, and looks again and again how far the bytes that it has taken in are ahead
// of those that it has given out. How both grew is left to the scenario's result.
func measureGatewayReaders(ctx context.Context, h *harness, c *contender) (result sample, err error) {
	lasting := gatewayReadingTime(h.settings)
	slow := slowReading{path: gatewayReaderPath, readers: min(gatewayReaders, h.settings.Readers), most: int(lasting / time.Second)}
	err = h.withGateway(ctx, c, roleGateway, func(gateway, upstream *serverProcess) error {
		watched, err := newPassage(gateway, upstream)
		if err != nil {
			return err
		}
		before, err := gateway.processorTime()
		if err != nil {
			return err
		}
		ticker := time.NewTicker(lookEvery)
		defer ticker.Stop()
		looking := watched.look(ctx, ticker.C)
		defer looking.end()
		return h.whileReading(ctx, gateway.address, slow, func(countBytes func() (float64, error)) error {
			first, err := countBytes()
			if err != nil {
				return err
			}
			if err := rest(ctx, lasting); err != nil {
				return err
			}
			last, err := countBytes()
			if err != nil {
				return err
			}
			most, err := looking.end()
			if err != nil {
				return err
			}
			h.courses[c.label] = looking.course.moments
			after, err := gateway.processorTime()
			if err != nil {
				return err
			}
			result = sample{
				keyHeld: float64(most.held), keyAhead: float64(most.written), keyKernelQueues: float64(most.queued),
				keyGibibyteCPU: after.since(before).total / last * (1 << 30),
				keyBytesRate:   (last - first) / lasting.Seconds(),
			}
			result[keyPeakMemory], err = gateway.peakResidentBytes()
			return err
		})
	})
	return result, err
}
