package compress

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
)

// BenchmarkOpenStreams measures the memory of a stream that is open and pending: an event
// stream of which 50 events were sent, and a content of which a part has come.
func BenchmarkOpenStreams(b *testing.B) {
	var events [][]byte
	for i := range 50 {
		events = append(events, fmt.Appendf(nil, "id: %d\ndata: {\"name\":\"gate %d\",\"level\":%d,\"text\":%q}\n\n", i, i%7, i*i, prose(100+i)))
	}
	for _, pair := range stagePairs {
		measure(b, "code/"+pair.name, events, pair.encode)
	}
	for _, pair := range stagePairs {
		// Not the whole of it: a decoder that has ended holds nothing.
		coded := pair.reference(b, prose(1<<20))
		measure(b, "decode/"+pair.name, [][]byte{coded[:len(coded)/2]}, func(src pipeline.Source[[]byte]) pipeline.Source[[]byte] {
			return pair.decode(src, 1<<20)
		})
	}
}

// never gives its chunks and is pending then.
type never struct{ chunks [][]byte }

func (n *never) Poll(pipeline.Waker) ([]byte, error) {
	if len(n.chunks) == 0 {
		return nil, pipeline.ErrPending
	}
	chunk := n.chunks[0]
	n.chunks = n.chunks[1:]
	return chunk, nil
}

func (n *never) Close() {}

func measure(b *testing.B, name string, chunks [][]byte, stage pipeline.Stage[[]byte, []byte]) {
	b.Run(name, func(b *testing.B) {
		turn := pipelinetest.NewTurn(b, 1)
		var streams []pipeline.Source[[]byte]
		var in, out int
		before := inUse()
		for b.Loop() {
			up := &never{}
			src := stage(up)
			streams = append(streams, src)
			for _, chunk := range chunks {
				up.chunks = [][]byte{chunk}
				in += len(chunk)
				for {
					coded, err := src.Poll(turn)
					if err == pipeline.ErrPending && len(up.chunks) == 0 && !turn.Woken() {
						break
					}
					out += len(coded)
				}
			}
		}
		b.ReportMetric(float64(inUse()-before)/float64(len(streams)), "bytes/stream")
		b.ReportMetric(float64(out)/float64(in), "out/in")
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(len(streams)*len(chunks)), "ns/chunk")
		for _, src := range streams {
			src.Close()
		}
	})
}

func inUse() uint64 {
	var m runtime.MemStats
	for range 3 { // twice empties the pools
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}
