package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

const slowReaderRate = 1_000_000 // bytes a second

const fillingTime = 2 * time.Second

// How long the readers program may take besides what is measured.
const readersTimeout = time.Minute

// measureSlowReaders asks one thing at a time of a server alone and then beside many clients
// that each download slowly, and takes what these cost in memory and processor time.
func measureSlowReaders(ctx context.Context, h *harness, c *contender) (sample, error) {
	result := sample{keyFailed: 0}
	probe := load{tool: toolWrk, connections: 1, asks: askGreeting}
	count := float64(h.settings.Readers)
	err := h.withCheckedServer(ctx, c, roleDownload, load{asks: askDownload}, func(s *serverProcess, _ []byte) error {
		alone, err := h.load(ctx, s, probe)
		if err != nil {
			return err
		}
		before, err := s.residentBytes()
		if err != nil {
			return err
		}
		slow := slowReading{path: askDownload.path, readers: h.settings.Readers, most: 2*h.settings.Seconds + h.settings.WarmUp}
		return h.whileReading(ctx, s.address, slow, func(countBytes func() (float64, error)) error {
			used, bytes, err := h.costOfReading(ctx, s, countBytes)
			if err != nil {
				return err
			}
			after, err := s.residentBytes()
			if err != nil {
				return err
			}
			beside, err := h.load(ctx, s, probe)
			if err != nil {
				return err
			}
			result[keyReaderMemory] = (after - before) / count
			result[keyGibibyteCPU] = used.total / bytes * (1 << 30)
			result[keyBytesRate] = bytes / float64(h.settings.Seconds)
			result[keyRate] = float64(beside.requests) / beside.microseconds * 1e6
			beside.latency.addTo(result, "")
			alone.latency.addTo(result, suffixAlone)
			result[keyLatencyRatio] = beside.latency.p99 / max(alone.latency.p99, 1)
			result[keyPeakMemory], err = s.peakResidentBytes()
			return err
		})
	})
	return result, err
}

// costOfReading takes what the readers, and nothing else, cost the server for some seconds.
func (h *harness) costOfReading(ctx context.Context, s *serverProcess, countBytes func() (float64, error)) (processorTime, float64, error) {
	// The kernel's buffers, megabytes for each reader, are filled at full speed first.
	if err := rest(ctx, min(fillingTime, time.Duration(h.settings.Seconds)*time.Second)); err != nil {
		return processorTime{}, 0, err
	}
	before, err := s.processorTime()
	if err != nil {
		return processorTime{}, 0, err
	}
	first, err := countBytes()
	if err != nil {
		return processorTime{}, 0, err
	}
	if err := rest(ctx, time.Duration(h.settings.Seconds)*time.Second); err != nil {
		return processorTime{}, 0, err
	}
	last, err := countBytes()
	if err != nil {
		return processorTime{}, 0, err
	}
	if last == first {
		return processorTime{}, 0, fmt.Errorf("nothing was read within %d s", h.settings.Seconds)
	}
	after, err := s.processorTime()
	return after.since(before), last - first, err
}

// A slowReading is what the readers program is asked to do.
type slowReading struct {
	path    string
	readers int
	most    int // seconds that what is measured takes
}

// whileReading runs use while the readers program downloads slowly. countBytes tells how many
// bytes it has read so far.
func (h *harness) whileReading(ctx context.Context, address string, r slowReading, use func(countBytes func() (float64, error)) error) error {
	arguments := []string{
		"-addr", address, "-path", r.path,
		"-readers", strconv.Itoa(r.readers), "-rate", strconv.Itoa(slowReaderRate),
	}
	timeout := readersTimeout + time.Duration(r.most)*time.Second
	return withClient(ctx, h.readers, arguments, timeout, func(commands io.Writer, reports *bufio.Reader) error {
		if line, err := reports.ReadString('\n'); strings.TrimSpace(line) != "ready" {
			return fmt.Errorf("the readers reported %q, expected that they are ready (%v)", strings.TrimSpace(line), err)
		}
		return use(func() (float64, error) { return countRead(commands, reports) })
	})
}

// countRead is the harness's side of the protocol that readers/main.go describes.
func countRead(commands io.Writer, reports *bufio.Reader) (float64, error) {
	if _, err := io.WriteString(commands, "count\n"); err != nil {
		return 0, fmt.Errorf("the readers take no command: %w", err)
	}
	line, err := reports.ReadString('\n')
	if err != nil {
		return 0, fmt.Errorf("the readers ended: %w", err)
	}
	text, found := strings.CutPrefix(strings.TrimSpace(line), "read ")
	bytes, err := strconv.ParseInt(text, 10, 64)
	if !found || err != nil {
		return 0, fmt.Errorf("the readers reported %q, expected a number of bytes read", strings.TrimSpace(line))
	}
	return float64(bytes), nil
}
