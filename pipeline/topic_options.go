package pipeline

import (
	"fmt"
	"time"
)

// A Position says where a subscription to a [Topic] begins: Newest, Oldest, or After a message.
type Position string

const (
	Newest Position = ""           // with what is published after Subscribe
	Oldest Position = "\x00oldest" // with the oldest message that is kept; an id never holds NUL
)

// After is the position behind the message with this id. If that is not kept, or the id was never given, it is Oldest,
// and TopicOptions.Missed is told that it is not known how much was missed. After("") is Newest.
func After(id string) Position { return Position(id) }

// LagPolicy says what becomes of a subscription that is further behind than TopicOptions.Backlog.
type LagPolicy uint8

const (
	// SkipOldest passes over the oldest messages, so that Backlog are left.
	SkipOldest LagPolicy = iota
	// KeepLatest keeps of each key (TopicOptions.Key) the latest message only: whoever is behind never gets one that
	// a later one of its key has replaced, and so is never behind by more than there are keys. Of the keys, those of
	// the Backlog latest messages are kept.
	KeepLatest
	// Evict ends the subscription with ErrEvicted: it has every message, or it ends.
	Evict
)

// TopicOptions are the options of a [Topic]. The zero value is a topic that keeps nothing for late subscribers, and
// passes over what a slow one is behind by more than 64 messages.
//
// ID, Prepare and Key are called on the goroutine that publishes, at once on several if several publish, and never
// with a lock held.
type TopicOptions[T any] struct {
	// Backlog is how many messages a subscription may be behind; 0 for 64. It costs nothing per subscription: one
	// loop's subscriptions share what is kept for it.
	Backlog int

	// Policy says what becomes of a subscription that is behind further. With KeepLatest, Key gives the key of a message
	// as Prepare has returned it; if Key is nil, all messages have one key.
	Policy LagPolicy
	Key    func(T) string

	// Missed, if it is not nil, makes the value that a subscription gives in place of n messages that it has missed,
	// before the message that comes next. n is 0 if it is not known how many they were, because the subscription
	// began After an id that was not kept. It is called on the loop, within Poll; Prepare is not asked. With KeepLatest, messages that were
	// replaced before the subscription got them count as missed too.
	Missed func(n uint64) T

	// Replay is how many messages are kept for subscriptions that begin at Oldest or After an id (with KeepLatest: how
	// many keys), ReplayAge how old a message may be to be given to one of those; 0 for any age.
	Replay    int
	ReplayAge time.Duration

	// ID returns the id that a value given to Publish brings with it. If ID is nil or returns "", the topic makes one:
	// 8 random characters, chosen when the topic was made, so that no id of an earlier process is taken for one of its
	// own; a hyphen; and a decimal number that goes up. Two that are published at once may come in the other order.
	ID func(T) string

	// Prepare, if it is not nil, is called once per message before anybody gets it, to check or to encode it: v becomes
	// what Prepare returns. If that is an error, the message is refused, and Publish or Deliver return the error as
	// it is.
	Prepare func(id string, v T) (T, error)

	// Clock returns the time of ReplayAge, which alone needs it; nil for time.Now.
	Clock func() time.Time
}

// defaultBacklog is the Backlog of a topic whose options say none.
const defaultBacklog = 64

// check panics if the options make no sense.
func (o *TopicOptions[T]) check() {
	switch {
	case o.Backlog < 0:
		panic(fmt.Sprintf("pipeline: NewTopic was given the Backlog %d, at least 0 was expected", o.Backlog))
	case o.Replay < 0:
		panic(fmt.Sprintf("pipeline: NewTopic was given the Replay %d, at least 0 was expected", o.Replay))
	case o.ReplayAge < 0:
		panic(fmt.Sprintf("pipeline: NewTopic was given the ReplayAge %v, at least 0 was expected", o.ReplayAge))
	case o.Policy > Evict:
		panic(fmt.Sprintf("pipeline: NewTopic was given the Policy %d, SkipOldest, KeepLatest or Evict was expected",
			o.Policy))
	}
}

// fill puts the defaults where the options say nothing.
func (o *TopicOptions[T]) fill() {
	if o.Backlog == 0 {
		o.Backlog = defaultBacklog
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Policy != KeepLatest {
		o.Key = nil
	}
}
