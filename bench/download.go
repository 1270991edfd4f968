package main

import "context"

// So few that wrk, which reads 8 KiB at a time, gets some downloads to their end in a second.
const downloadConnections = 4

// measureDownload counts bytes, those of the downloads that were not complete included.
func measureDownload(ctx context.Context, h *harness, c *contender) (result sample, err error) {
	l := load{tool: toolWrk, connections: downloadConnections, asks: askDownload}
	err = h.withCheckedServer(ctx, c, roleDownload, l, func(s *serverProcess, _ []byte) error {
		counted, err := h.load(ctx, s, l)
		if err != nil {
			return err
		}
		result = counted.sample()
		bytes := float64(counted.bytes)
		result[keyBytesRate] = bytes / counted.microseconds * 1e6
		result[keyGibibyteCPU] = counted.used.total / bytes * (1 << 30)
		counted.used.addTo(result, bytes/downloadBytes)
		result[keyPeakMemory], err = s.peakResidentBytes()
		return err
	})
	return result, err
}
