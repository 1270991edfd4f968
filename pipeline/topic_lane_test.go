package pipeline_test

import (
	"slices"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
)

// wakerFunc is a waker that does something.
type wakerFunc func()

func (f wakerFunc) Wake() { f() }

func TestOnePostPerLoopHoweverManySubscribers(t *testing.T) {
	loops := []*handLoop{{}, {}}
	topic := pipeline.NewTopic(pipeline.TopicOptions[int]{})
	publish(t, topic, 0)
	var all []pipeline.Source[int]
	for i := range 100 {
		all = append(all, topic.Subscribe(loops[i%2], pipeline.Newest))
	}
	posts := func(why string, want int) {
		t.Helper()
		for _, loop := range loops {
			if loop.count != want {
				t.Errorf("%s, %d posts were made to a loop, %d were expected", why, loop.count, want)
			}
		}
	}
	posts("before anything was published to somebody", 0)
	publish(t, topic, 1)
	posts("after one message", 1)
	publish(t, topic, 2, 3)
	posts("while a post is on its way", 1)
	for _, loop := range loops {
		loop.step()
	}
	publish(t, topic, 4)
	posts("once the post has run", 2)
	for _, src := range all {
		src.Close()
	}
	publish(t, topic, 5)
	topic.Close()
	posts("after the last subscription was closed", 2)
	for _, loop := range loops {
		for loop.step() {
		}
	}
}

// A publish that comes while a run takes what is new is told of by that run, or by another post.
func TestPublishDuringAWakeMakesAnotherPost(t *testing.T) {
	loop := new(handLoop)
	topic := pipeline.NewTopic(pipeline.TopicOptions[int]{})
	src := topic.Subscribe(loop, pipeline.Newest)
	pollWith(t, src, wakerFunc(func() { publish(t, topic, 2) }), pipeline.ErrPending)
	publish(t, topic, 1)
	loop.step()
	wantValues(t, "what the run has told", src, []int{1}, pipeline.ErrPending)
	if !loop.step() {
		t.Error("a publish within a wake made no post")
	}
	wantValues(t, "what came within the wake", src, []int{2}, pipeline.ErrPending)
}

// On a loop that has stopped nobody polls any more: its subscriptions are given up, and the others are served.
func TestLoopThatHasStoppedIsGivenUp(t *testing.T) {
	stopped, running := new(handLoop), new(handLoop)
	topic := pipeline.NewTopic(pipeline.TopicOptions[int]{})
	lost, kept := topic.Subscribe(stopped, pipeline.Newest), topic.Subscribe(running, pipeline.Newest)
	publish(t, topic, 1)
	stopped.step()
	wantValues(t, "before the loop stopped", lost, []int{1}, pipeline.ErrPending)
	stopped.refuse = errTest
	publish(t, topic, 2)
	if got := topic.Stats(); got.Subscribers != 1 || got.Delivered != 1 {
		t.Errorf("the counts are %+v, 1 subscriber and what was delivered before were expected", got)
	}
	stopped.refuse = nil
	publish(t, topic, 3)
	if stopped.count != 1 {
		t.Errorf("%d posts were made to a loop that has stopped, 1 was expected, from before", stopped.count)
	}
	lost.Close()
	running.step()
	wantValues(t, "on a loop that runs", kept, []int{1, 2, 3}, pipeline.ErrPending)
	if got := topic.Stats(); got.Subscribers != 1 || got.Delivered != 4 {
		t.Errorf("the counts are %+v, 1 subscriber and 4 delivered were expected", got)
	}
}

// A loop that is late by more than the topic keeps finds the latest, and a subscription made before its post has run
// is not cut short by that.
func TestLateLoop(t *testing.T) {
	loop := new(handLoop)
	topic := pipeline.NewTopic(pipeline.TopicOptions[int]{Backlog: 2, Replay: 10})
	first := topic.Subscribe(loop, pipeline.Newest)
	w := new(task)
	pollWith(t, first, w, pipeline.ErrPending)
	publish(t, topic, 1, 2, 3, 4, 5)
	past := topic.Subscribe(loop, pipeline.Oldest)
	now := topic.Subscribe(loop, pipeline.Newest)
	loop.step()
	if !w.woken {
		t.Error("a subscription waits for what another was the first to see, and was not woken")
	}
	wantValues(t, "who was there first", first, []int{4, 5}, pipeline.ErrPending)
	wantValues(t, "who began in the past", past, []int{1, 2, 3, 4, 5}, pipeline.ErrPending)
	wantValues(t, "who began now", now, nil, pipeline.ErrPending)
}

// A stream that goes from what is kept to what its loop has, while more comes, gets all of it once.
func TestFromThePastToThePresent(t *testing.T) {
	loop := new(handLoop)
	topic := pipeline.NewTopic(pipeline.TopicOptions[int]{Backlog: 3, Replay: 20})
	want := make([]int, 0, 30)
	for v := range 10 {
		publish(t, topic, v)
		want = append(want, v)
	}
	src := topic.Subscribe(loop, pipeline.Oldest)
	var got []int
	for v := 10; v < 30; v++ {
		publish(t, topic, v)
		want = append(want, v)
		loop.step()
		for range 2 {
			if v, err := src.Poll(new(task)); err == nil {
				got = append(got, v)
			}
		}
	}
	rest, err := takeAll(src)
	got = append(got, rest...)
	if err != pipeline.ErrPending || !slices.Equal(got, want) {
		t.Errorf("%v and %v came, %v and to be pending was expected", got, err, want)
	}
}

// A wake may close who has still to be woken, and nobody else is missed because of it.
func TestWakeMayCloseAndSubscribe(t *testing.T) {
	loop := new(handLoop)
	topic := pipeline.NewTopic(pipeline.TopicOptions[int]{Replay: 1})
	var all [10]pipeline.Source[int]
	var woken [10]bool
	var added pipeline.Source[int]
	for i := range all {
		all[i] = topic.Subscribe(loop, pipeline.Newest)
		pollWith(t, all[i], wakerFunc(func() {
			woken[i] = true
			if i == 3 {
				all[0].Close() // was woken
				all[3].Close() // is being woken
				all[7].Close() // is to be woken
				added = topic.Subscribe(loop, pipeline.Newest)
				pollWith(t, added, wakerFunc(func() {}), pipeline.ErrPending)
				pollWith(t, all[1], wakerFunc(func() { woken[1] = false }), nil)
				pollWith(t, all[1], wakerFunc(func() { woken[1] = false }), pipeline.ErrPending)
				pollWith(t, all[5], wakerFunc(func() { t.Error("woken though it has what it waited for") }), nil)
			}
		}), pipeline.ErrPending)
	}
	publish(t, topic, 1)
	loop.step()
	for i, was := range woken {
		if want := i != 7 && i != 5; was != want {
			t.Errorf("subscription %d was woken: %v, %v was expected", i, was, want)
		}
	}
	publish(t, topic, 2)
	loop.step()
	if woken[1] {
		t.Error("who began to wait while others were woken was not woken by the next message")
	}
	wantValues(t, "who was subscribed within a wake", added, []int{2}, pipeline.ErrPending)
	if got := topic.Stats().Subscribers; got != 8 {
		t.Errorf("there are %d subscribers, 8 were expected", got)
	}
}
