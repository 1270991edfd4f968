package compress

import (
	"io"
	"testing"
	"time"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
)

// clock gives a tick for each call of tick.
type clock struct {
	ticks  int
	waker  pipeline.Waker
	closed int
}

func (c *clock) Poll(w pipeline.Waker) (time.Duration, error) {
	if c.ticks == 0 {
		c.waker = w
		return 0, pipeline.ErrPending
	}
	c.ticks--
	return 0, nil
}

func (c *clock) Close() { c.closed++ }

func TestCommentsBreakTheSilence(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	queue := pipeline.NewQueue[[]byte](turn, 4, pipeline.Refuse)
	ticks := &clock{}
	src := &commented{events: queue, ticks: ticks}
	// Each step is a tick, or bytes that come, and what is then polled.
	for i, step := range []struct{ push, want string }{
		{"", ""}, {"", ":\n\n"}, {"", ""}, {"", ":\n\n"},
		{"data: x\n\n", "data: x\n\n"}, {"", ""}, {"", ":\n\n"}, {"", ""},
		{"data: y\n", "data: y\n"}, {"", ""}, {"", ""}, {"", ""}, // an event is not complete
		{"\n", "\n"}, {"", ""}, {"", ":\n\n"},
		{"data: z\r\n", "data: z\r\n"}, {"", ""}, {"", ""},
	} {
		if step.push == "" {
			ticks.ticks++
		} else if err := queue.Push([]byte(step.push)); err != nil {
			t.Fatal(err)
		}
		for turn.Step() {
		}
		chunk, err := pipelinetest.Poll[[]byte](turn, src)
		if string(chunk) != step.want || (err == pipeline.ErrPending) != (step.want == "") {
			t.Errorf("step %d should give %q, and gave %q (%v)", i, step.want, chunk, err)
		}
		if err == pipeline.ErrPending && ticks.waker == nil {
			t.Errorf("step %d: a stream that is pending should wait for the next tick", i)
		}
		ticks.waker = nil
	}
	queue.Finish(nil)
	for turn.Step() {
	}
	for range 2 {
		if _, err := pipelinetest.Poll[[]byte](turn, src); err != io.EOF {
			t.Errorf("the end of the events should be the end, and Poll returned %v", err)
		}
	}
	pipelinetest.Close[[]byte](turn, src)
	if _, err := src.Poll(turn); err != pipeline.ErrClosed || ticks.closed != 1 {
		t.Errorf("the ticks should be closed once, with the stream, and were %d times (%v)", ticks.closed, err)
	}
}

func TestCommentsKeepTheLaws(t *testing.T) {
	pipelinetest.TestBytes(t, pipelinetest.BytesCase[[]byte]{
		Stage: func(src pipeline.Source[[]byte]) pipeline.Source[[]byte] {
			return &commented{events: src, ticks: &clock{}}
		},
		In:     []byte("data: x\n\ndata: y\n\n"),
		Model:  func(in []byte, end error) ([][]byte, error) { return [][]byte{in}, end },
		Same:   pipelinetest.SameBytes,
		Rounds: 4,
	})
}
