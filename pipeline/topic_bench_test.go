package pipeline_test

import (
	"testing"

	"github.com/penstock-go/penstock/pipeline"
)

// audience subscribes n times and has all wait.
func audience(b testing.TB, topic *pipeline.Topic[int], loop pipeline.Poster, n int) ([]pipeline.Source[int], *task) {
	w := new(task)
	all := make([]pipeline.Source[int], n)
	for i := range all {
		all[i] = topic.Subscribe(loop, pipeline.Newest)
		if _, err := all[i].Poll(w); err != pipeline.ErrPending {
			b.Fatalf("Poll returned %v, but nothing was published", err)
		}
	}
	return all, w
}

// reach publishes v, and has all poll it and wait again.
func reach(b testing.TB, topic *pipeline.Topic[int], loop *handLoop, all []pipeline.Source[int], w *task, v int) {
	if err := topic.Publish(v); err != nil {
		b.Fatal(err)
	}
	loop.step()
	for _, src := range all {
		if got, err := src.Poll(w); got != v || err != nil {
			b.Fatalf("Poll returned %d and %v, %d was expected", got, err, v)
		}
		if _, err := src.Poll(w); err != pipeline.ErrPending {
			b.Fatalf("Poll returned %v behind the newest message, ErrPending was expected", err)
		}
	}
}

func TestPublishAllocatesTheMessageOnly(t *testing.T) {
	for _, policy := range []pipeline.LagPolicy{pipeline.SkipOldest, pipeline.KeepLatest, pipeline.Evict} {
		loop := &handLoop{posts: make([]func(), 0, 10_000)}
		topic := pipeline.NewTopic(pipeline.TopicOptions[int]{Policy: policy})
		all, w := audience(t, topic, loop, 100)
		v := 0
		publish := func() { v++; reach(t, topic, loop, all, w, v) }
		for range 200 { // until the windows have grown
			publish()
		}
		if allocations := testing.AllocsPerRun(100, publish); allocations > 1 {
			t.Errorf("a message to 100 subscribers allocates %v times with policy %d, once was expected", allocations, policy)
		}
	}
}

// BenchmarkTopicPublish is the cost of one message to one of 10,000 subscribers: it is woken, polls the message, and
// polls again to wait.
func BenchmarkTopicPublish(b *testing.B) {
	for _, c := range []struct {
		name   string
		policy pipeline.LagPolicy
	}{{"SkipOldest", pipeline.SkipOldest}, {"KeepLatest", pipeline.KeepLatest}, {"Evict", pipeline.Evict}} {
		b.Run(c.name, func(b *testing.B) {
			const subscribers = 10_000
			loop := &handLoop{posts: make([]func(), 0, 1000)}
			topic := pipeline.NewTopic(pipeline.TopicOptions[int]{Policy: c.policy})
			all, w := audience(b, topic, loop, subscribers)
			b.ReportAllocs()
			v := 0
			for b.Loop() {
				v++
				reach(b, topic, loop, all, w, v)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(v)/subscribers, "ns/delivery")
		})
	}
}

// BenchmarkTopicSubscribe is the cost of a subscription that is opened and closed while others are.
func BenchmarkTopicSubscribe(b *testing.B) {
	loop := new(handLoop)
	topic := pipeline.NewTopic(pipeline.TopicOptions[int]{})
	audience(b, topic, loop, 1)
	b.ReportAllocs()
	for b.Loop() {
		topic.Subscribe(loop, pipeline.Newest).Close()
	}
}
