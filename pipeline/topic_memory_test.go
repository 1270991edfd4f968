package pipeline

import (
	"reflect"
	"testing"
)

func TestSubscriptionIsSmall(t *testing.T) {
	if size := reflect.TypeFor[subscription[int]]().Size(); size > 48 {
		t.Errorf("a subscription has %d bytes, at most 48 were expected, which Go allocates without waste", size)
	}
}

// stubLoop keeps the last post.
type stubLoop struct{ post func() }

func (l *stubLoop) Post(f func()) error { l.post = f; return nil }

type stubWaker struct{}

func (stubWaker) Wake() {}

// A waker can be the handle of a whole connection: it is kept while it can be needed, and no longer.
func TestSubscriptionForgetsItsWaker(t *testing.T) {
	for _, policy := range []LagPolicy{SkipOldest, KeepLatest, Evict} {
		loop := new(stubLoop)
		topic := NewTopic(TopicOptions[int]{Policy: policy})
		s := topic.Subscribe(loop, Newest).(*subscription[int])
		check := func(when string, want bool) {
			t.Helper()
			if got := s.waker != nil; got != want {
				t.Errorf("policy %d, %s: a waker is kept: %v, %v was expected", policy, when, got, want)
			}
		}
		_, _ = s.Poll(stubWaker{})
		check("while it waits", true)
		_ = topic.Publish(1)
		loop.post()
		check("when it was woken", policy == Evict)
		_, _ = s.Poll(stubWaker{})
		check("when it has got a value", policy == Evict)
		_, _ = s.Poll(stubWaker{})
		topic.Close()
		loop.post()
		_, _ = s.Poll(stubWaker{})
		check("at the end", false)

		s = topic.Subscribe(loop, Newest).(*subscription[int])
		s.Close()
		if s.waker != nil || s.lane != nil {
			t.Errorf("policy %d: a subscription that is closed keeps a waker or its lane alive", policy)
		}
	}
}
