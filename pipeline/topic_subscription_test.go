package pipeline_test

import (
	"io"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
)

// aborter is a waker that can be aborted.
type aborter struct {
	task
	aborts  []error
	onAbort func()
}

func (a *aborter) Abort(err error) {
	a.aborts = append(a.aborts, err)
	if a.onAbort != nil {
		a.onAbort()
	}
}

func pollWith[T any](t *testing.T, src pipeline.Source[T], w pipeline.Waker, want error) {
	t.Helper()
	if _, err := src.Poll(w); err != want {
		t.Fatalf("Poll returned %v, %v was expected", err, want)
	}
}

func evicting() (*handLoop, *pipeline.Topic[int]) {
	return new(handLoop), pipeline.NewTopic(pipeline.TopicOptions[int]{Backlog: 2, Policy: pipeline.Evict})
}

// readAll polls src until it waits, which it must get n messages before.
func readAll(t *testing.T, src pipeline.Source[int], w pipeline.Waker, n int) {
	t.Helper()
	for range n {
		pollWith(t, src, w, nil)
	}
	pollWith(t, src, w, pipeline.ErrPending)
}

// Those that do not keep up are evicted at the publish that leaves them behind, and told so: by Abort where the latest
// waker has it, and else by a wake.
func TestEvictTellsWhoIsBusy(t *testing.T) {
	loop, topic := evicting()
	busy, late := topic.Subscribe(loop, pipeline.Newest), topic.Subscribe(loop, pipeline.Newest)
	never := topic.Subscribe(loop, pipeline.Newest)
	older, abortable, plain := new(aborter), new(aborter), new(task)
	publish(t, topic, 1)
	loop.step()
	pollWith(t, late, plain, nil)
	readAll(t, busy, older, 1)
	publish(t, topic, 2)
	loop.step()
	pollWith(t, busy, abortable, nil)
	publish(t, topic, 3)
	loop.step() // late is two behind; never is three, but nobody can be told
	if plain.woken || len(abortable.aborts) > 0 {
		t.Error("a subscription that is not behind by more than Backlog was told something")
	}
	publish(t, topic, 4)
	loop.step()
	if !plain.woken {
		t.Error("a subscription was evicted, but its waker, which can not be aborted, was not woken")
	}
	publish(t, topic, 5)
	loop.step()
	if len(abortable.aborts) != 1 || abortable.aborts[0] != pipeline.ErrEvicted || abortable.woken || len(older.aborts) > 0 {
		t.Errorf("the latest waker was aborted with %v and woken: %v, an older one was aborted with %v; ErrEvicted once, no "+
			"wake, and nothing for the older one were expected", abortable.aborts, abortable.woken, older.aborts)
	}
	for _, src := range []pipeline.Source[int]{busy, late, never} {
		pollWith(t, src, abortable, pipeline.ErrEvicted)
	}
	if got := topic.Stats(); got.Evicted != 3 || got.Subscribers != 3 || got.Dropped != 0 {
		t.Errorf("the counts are %+v; 3 evicted, 3 subscribers since none was closed, and none dropped were expected", got)
	}
	publish(t, topic, 6)
	for _, src := range []pipeline.Source[int]{busy, late, never} {
		src.Close()
		pollWith(t, src, abortable, pipeline.ErrEvicted)
	}
	loop.step()
	if len(abortable.aborts) != 1 {
		t.Error("a subscription was aborted twice, or after it was closed")
	}
}

// Who keeps up is woken, and never aborted, while another is evicted.
func TestEvictLeavesAloneWhoWaits(t *testing.T) {
	loop, topic := evicting()
	w := new(aborter)
	src := topic.Subscribe(loop, pipeline.Newest)
	defer topic.Subscribe(loop, pipeline.Newest).Close()
	pollWith(t, src, w, pipeline.ErrPending)
	for v := range 10 {
		w.woken = false
		publish(t, topic, v)
		loop.step()
		if !w.woken || len(w.aborts) > 0 {
			t.Errorf("one that waits was woken: %v, aborted: %v; a wake was expected", w.woken, w.aborts)
		}
		readAll(t, src, w, 1)
	}
	if got := topic.Stats().Evicted; got != 1 {
		t.Errorf("%d subscriptions were evicted, 1 was expected: the other one, which nobody polls", got)
	}
}

// A loop that comes to its posts late can find one too far behind that was waiting: it is woken and learns by polling.
func TestEvictWhileWaiting(t *testing.T) {
	loop, topic := evicting()
	w := new(aborter)
	src := topic.Subscribe(loop, pipeline.Newest)
	pollWith(t, src, w, pipeline.ErrPending)
	publish(t, topic, 1, 2, 3)
	loop.step()
	if !w.woken || len(w.aborts) > 0 {
		t.Errorf("one that waits was woken: %v, aborted: %v; a wake was expected", w.woken, w.aborts)
	}
	pollWith(t, src, w, pipeline.ErrEvicted)
	pollWith(t, src, w, pipeline.ErrEvicted)
	if got := topic.Stats().Evicted; got != 1 {
		t.Errorf("%d subscriptions were counted as evicted, 1 was expected", got)
	}
}

// An Abort may close its own subscription, and another one that was evicted too: that is not told any more.
func TestAbortMayCloseOthers(t *testing.T) {
	loop, topic := evicting()
	var all []pipeline.Source[int]
	var wakers []*aborter
	for range 4 {
		w := new(aborter)
		w.onAbort = func() {
			for _, src := range all {
				src.Close()
			}
		}
		src := topic.Subscribe(loop, pipeline.Newest)
		all, wakers = append(all, src), append(wakers, w)
	}
	publish(t, topic, 1)
	loop.step()
	for i, src := range all {
		pollWith(t, src, wakers[i], nil)
	}
	publish(t, topic, 2, 3, 4)
	loop.step()
	told := 0
	for _, w := range wakers {
		told += len(w.aborts)
		if w.woken {
			t.Error("a waker that can be aborted was woken")
		}
	}
	if told != 1 {
		t.Errorf("%d wakers were aborted, 1 was expected, since that closed all", told)
	}
	if got := topic.Stats(); got.Subscribers != 0 || got.Evicted != 4 {
		t.Errorf("the counts are %+v, no subscribers and 4 evicted were expected", got)
	}
}

// What was evicted in the past is what Replay has not kept, not what is further behind than Backlog.
func TestEvictInThePast(t *testing.T) {
	loop := new(handLoop)
	topic := pipeline.NewTopic(pipeline.TopicOptions[int]{Backlog: 2, Replay: 5, Policy: pipeline.Evict})
	publish(t, topic, 1, 2, 3, 4, 5)
	w := new(aborter)
	src := topic.Subscribe(loop, pipeline.Oldest)
	pollWith(t, src, w, nil)
	publish(t, topic, 6)
	loop.step()
	if len(w.aborts) > 0 {
		t.Error("a subscription was evicted though all it has still to get is kept")
	}
	publish(t, topic, 7)
	loop.step()
	if len(w.aborts) != 1 {
		t.Error("what a subscription was to get is no more kept, but it was not evicted")
	}
	pollWith(t, src, w, pipeline.ErrEvicted)
}

// Missed is told before the message that comes next, and not lost when the topic is closed between, or the stream.
func TestMissedIsToldBeforeTheNext(t *testing.T) {
	for _, policy := range []pipeline.LagPolicy{pipeline.SkipOldest, pipeline.KeepLatest} {
		loop := new(handLoop)
		topic := pipeline.NewTopic(pipeline.TopicOptions[int]{
			Backlog: 2, Policy: policy,
			Key:    func(v int) string { return string(rune(v)) },
			Missed: func(n uint64) int { return -int(n) },
		})
		src, other := topic.Subscribe(loop, pipeline.Newest), topic.Subscribe(loop, pipeline.Newest)
		publish(t, topic, 1, 2, 3, 4, 5)
		loop.step()
		if v, err := src.Poll(new(task)); v != -3 || err != nil {
			t.Errorf("Poll returned %d and %v, the sign that 3 were missed was expected", v, err)
		}
		if v, err := other.Poll(new(task)); v != -3 || err != nil {
			t.Errorf("Poll returned %d and %v, the sign that 3 were missed was expected", v, err)
		}
		other.Close()
		publish(t, topic, 6) // of the two that were left, one more is missed
		topic.Close()
		loop.step()
		wantValues(t, "what is left", src, []int{-1, 5, 6}, io.EOF)
		wantValues(t, "closed between", other, nil, pipeline.ErrClosed)
		if got := topic.Stats(); got.Dropped != 7 || got.Delivered != 2 {
			t.Errorf("the counts are %+v; 3 and 1 and 3 dropped, and 2 delivered were expected", got)
		}
	}
}

func TestKeepLatestKeepsOneOfAKey(t *testing.T) {
	for _, c := range []struct {
		name string
		key  func(int) string
		want []int
	}{
		{"without keys there is one", nil, []int{22}},
		{"by the last digit", func(v int) string { return string(rune(v % 10)) }, []int{13, 21, 22}},
	} {
		loop := new(handLoop)
		topic := pipeline.NewTopic(pipeline.TopicOptions[int]{Policy: pipeline.KeepLatest, Key: c.key})
		src := topic.Subscribe(loop, pipeline.Newest)
		publish(t, topic, 1, 2, 3, 11, 12, 13, 21, 22)
		loop.step()
		wantValues(t, c.name, src, c.want, pipeline.ErrPending)
	}
}

func TestSubscriptionClosedBeforeItsEnd(t *testing.T) {
	for _, policy := range []pipeline.LagPolicy{pipeline.SkipOldest, pipeline.KeepLatest, pipeline.Evict} {
		loop := new(handLoop)
		topic := pipeline.NewTopic(pipeline.TopicOptions[int]{Policy: policy, Replay: 1})
		publish(t, topic, 1)
		closed(t, "a subscription", topic.Subscribe(loop, pipeline.Oldest))
	}
}
