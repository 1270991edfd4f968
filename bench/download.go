package main

import (
	"context"
	"fmt"
)

// So few that wrk, which reads 8 KiB at a time, gets some downloads to their end in a second.
const downloadConnections = 4

// downloadFrom measures downloads in the role. It counts bytes, those of the downloads that were not
// complete included. Of a gateway that buffers unless told it also measures that.
func downloadFrom(r role) func(context.Context, *harness, *contender) (sample, error) {
	return func(ctx context.Context, h *harness, c *contender) (result sample, err error) {
		err = h.withCheckedServer(ctx, c, r, loadDownload, func(s *serverProcess, _ []byte) error {
			counted, err := h.load(ctx, s, loadDownload)
			if err != nil {
				return err
			}
			result = counted.sample()
			bytes := float64(counted.bytes)
			result[keyBytesRate] = bytes / counted.microseconds * 1e6
			result[keyGibibyteCPU] = counted.gibibyteCPU()
			counted.used.addTo(result, bytes/downloadBytes)
			if result[keyPeakMemory], err = s.peakResidentBytes(); err != nil {
				return err
			}
			if r == roleGateway && c.kind.buffers {
				result[keyGibibyteCPUBuffered], err = h.gibibyteCPUBuffered(ctx, s)
			}
			return err
		})
		return result, err
	}
}

func (r *loadedRun) gibibyteCPU() float64 { return r.used.total / float64(r.bytes) * (1 << 30) }

// gibibyteCPUBuffered measures a gateway's downloads once more, buffered.
func (h *harness) gibibyteCPUBuffered(ctx context.Context, gateway *serverProcess) (float64, error) {
	l := loadDownload
	l.asks.path = "/download-buffered"
	request, err := h.requestOf(ctx, l)
	if err != nil {
		return 0, err
	}
	if _, err := l.check(request, nil).run(ctx, gateway.address); err != nil {
		return 0, fmt.Errorf("the gateway does not answer GET %s as it must: %w", l.asks.path, err)
	}
	counted, err := h.load(ctx, gateway, l)
	return counted.gibibyteCPU(), err
}
