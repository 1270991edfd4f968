package pipeline_test

import (
	"testing"

	"github.com/penstock-go/penstock/pipeline"
)

// stagesOverASubscription are those that may stand between a topic and who is told of an eviction.
var stagesOverASubscription = map[string]func(src pipeline.Source[int]) pipeline.Source[int]{
	"Merge": func(src pipeline.Source[int]) pipeline.Source[int] { return pipeline.Merge(new(hand), src) },
	"Merge of Merge": func(src pipeline.Source[int]) pipeline.Source[int] {
		return pipeline.Merge(pipeline.Merge(src), new(hand))
	},
	"Concat":  func(src pipeline.Source[int]) pipeline.Source[int] { return pipeline.Concat(src, new(hand)) },
	"Flatten": func(src pipeline.Source[int]) pipeline.Source[int] { return pipeline.Flatten(pipeline.Once(src)) },
	"Map": func(src pipeline.Source[int]) pipeline.Source[int] {
		return pipeline.Map(src, func(v int) (int, error) { return v, nil })
	},
	"Filter": func(src pipeline.Source[int]) pipeline.Source[int] {
		return pipeline.Filter(src, func(int) bool { return true })
	},
	"Inspect": func(src pipeline.Source[int]) pipeline.Source[int] { return pipeline.Inspect(src, func(int, error) {}) },
	"OnClose": func(src pipeline.Source[int]) pipeline.Source[int] { return pipeline.OnClose(src, func() {}) },
	"Generate": func(src pipeline.Source[int]) pipeline.Source[int] {
		return pipeline.Generate(func(co *pipeline.Co, yield func(int) bool) error {
			defer src.Close()
			for {
				v, err := pipeline.Await(co, src)
				if err != nil {
					return err
				}
				if !yield(v) {
					return nil
				}
			}
		})
	},
}

// One that is busy, with a value that it was given before, is told of the eviction through any stage, once.
func TestEvictionReachesTheConsumerThroughStages(t *testing.T) {
	for name, stage := range stagesOverASubscription {
		loop, topic := evicting()
		src := stage(topic.Subscribe(loop, pipeline.Newest))
		w := new(aborter)
		pollWith(t, src, w, pipeline.ErrPending)
		publish(t, topic, 1)
		loop.step()
		pollWith(t, src, w, nil)
		publish(t, topic, 2)
		publish(t, topic, 3)
		publish(t, topic, 4)
		loop.step()
		if len(w.aborts) != 1 || w.aborts[0] != pipeline.ErrEvicted {
			t.Errorf("%s: the consumer was aborted with %v; ErrEvicted once was expected", name, w.aborts)
		}
		for range 2 {
			pollWith(t, src, w, pipeline.ErrEvicted)
		}
		src.Close()
		if stats := topic.Stats(); stats.Subscribers != 0 {
			t.Errorf("%s: %d subscriptions are open after the stream was closed", name, stats.Subscribers)
		}
	}
}

// A consumer that can only be woken is woken, and what another branch has comes no more.
func TestMergeWakesWhoCanNotBeAborted(t *testing.T) {
	loop, topic := evicting()
	q := pipeline.NewQueue[int](loop, 4, pipeline.Refuse)
	src := pipeline.Merge[int](topic.Subscribe(loop, pipeline.Newest), q)
	w := new(task)
	pollWith(t, src, w, pipeline.ErrPending)
	publish(t, topic, 1)
	loop.step()
	pollWith(t, src, w, nil)
	w.woken = false
	for v := range 4 {
		publish(t, topic, v)
	}
	push(t, q, 5)
	loop.step()
	if !w.woken {
		t.Error("a branch was aborted, but its consumer was not woken")
	}
	pollWith(t, src, w, pipeline.ErrEvicted)
	src.Close()
}

// Two branches that are evicted in one go are one failure. The consumer may close the stream when it is told.
func TestMergeIsAbortedOnce(t *testing.T) {
	for _, closes := range []bool{false, true} {
		loop, topic := evicting()
		src := pipeline.Merge(topic.Subscribe(loop, pipeline.Newest), topic.Subscribe(loop, pipeline.Newest))
		w := new(aborter)
		if closes {
			w.onAbort = src.Close
		}
		pollWith(t, src, w, pipeline.ErrPending)
		publish(t, topic, 1)
		loop.step()
		pollWith(t, src, w, nil)
		pollWith(t, src, w, nil)
		for v := range 4 {
			publish(t, topic, v)
		}
		loop.step()
		if len(w.aborts) != 1 {
			t.Errorf("two branches were aborted, and the consumer %d times; once was expected", len(w.aborts))
		}
		src.Close()
	}
}
