package pipeline_test

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
)

func publish[T any](t *testing.T, topic *pipeline.Topic[T], values ...T) {
	t.Helper()
	for _, v := range values {
		if err := topic.Publish(v); err != nil {
			t.Errorf("Publish(%v) returned %v, but the topic is open", v, err)
		}
	}
}

// takeAll polls src until it is pending or ends, and returns the values and that.
func takeAll[T any](src pipeline.Source[T]) (values []T, err error) {
	for {
		v, err := src.Poll(new(task))
		if err != nil {
			return values, err
		}
		values = append(values, v)
	}
}

func wantValues[T comparable](t *testing.T, why string, src pipeline.Source[T], want []T, wantErr error) {
	t.Helper()
	if got, err := takeAll(src); !slices.Equal(got, want) || err != wantErr {
		t.Errorf("%s: %v and %v came, %v and %v were expected", why, got, err, want, wantErr)
	}
}

// identified is a message together with the id that Prepare was given.
type identified struct{ id, text string }

func withIDs(o pipeline.TopicOptions[identified]) pipeline.TopicOptions[identified] {
	o.Prepare = func(id string, v identified) (identified, error) {
		v.id = id
		return v, nil
	}
	return o
}

func TestTopicMakesIDs(t *testing.T) {
	shape := regexp.MustCompile(`^([a-z2-7]{8})-([0-9]+)$`)
	prefixes := make(map[string]bool)
	for range 3 {
		loop := new(handLoop)
		topic := pipeline.NewTopic(withIDs(pipeline.TopicOptions[identified]{}))
		src := topic.Subscribe(loop, pipeline.Newest)
		publish(t, topic, identified{}, identified{}, identified{})
		loop.step()
		got, _ := takeAll(src)
		for i, v := range got {
			parts := shape.FindStringSubmatch(v.id)
			if parts == nil || parts[2] != fmt.Sprint(i+1) {
				t.Fatalf("message %d has the id %q, 8 characters, a hyphen and %d were expected", i+1, v.id, i+1)
			}
			prefixes[parts[1]] = true
		}
		if len(got) != 3 {
			t.Errorf("%d messages came, 3 were expected", len(got))
		}
	}
	if len(prefixes) != 3 {
		t.Errorf("three topics have the prefixes %v, each should have one of its own", prefixes)
	}
}

func TestTopicUsesTheIDThatAValueBrings(t *testing.T) {
	loop := new(handLoop)
	topic := pipeline.NewTopic(withIDs(pipeline.TopicOptions[identified]{
		ID: func(v identified) string { return v.text },
	}))
	src := topic.Subscribe(loop, pipeline.Newest)
	publish(t, topic, identified{text: "own"}, identified{})
	if err := topic.Deliver("given", identified{text: "own"}); err != nil {
		t.Errorf("Deliver returned %v, but the topic is open", err)
	}
	loop.step()
	got, _ := takeAll(src)
	if len(got) != 3 || got[0].id != "own" || !strings.HasSuffix(got[1].id, "-1") || got[2].id != "given" {
		t.Errorf("the messages %v came; the ids own, one that the topic made, and given were expected", got)
	}
}

func TestTopicRefusesIDsThatNoHeaderCanCarry(t *testing.T) {
	loop := new(handLoop)
	topic := pipeline.NewTopic(pipeline.TopicOptions[string]{ID: func(v string) string { return v }})
	defer topic.Subscribe(loop, pipeline.Newest).Close()
	for _, id := range []string{"\x00", "a\rb", "a\n", string(pipeline.Oldest)} {
		for door, err := range map[string]error{"Deliver": topic.Deliver(id, "v"), "Publish": topic.Publish(id)} {
			if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q", id)) {
				t.Errorf("%s with the id %q returned %v, an error that names it was expected", door, id, err)
			}
		}
	}
	if topic.Stats().Published != 0 || loop.count != 0 {
		t.Error("messages that were refused were handed on")
	}
}

func TestTopicPreparesOncePerMessage(t *testing.T) {
	loops := []*handLoop{{}, {}}
	prepared := 0
	topic := pipeline.NewTopic(pipeline.TopicOptions[string]{
		Prepare: func(id, v string) (string, error) {
			prepared++
			if v == "bad" {
				return "", errTest
			}
			return "<" + v + ">", nil
		},
	})
	var all []pipeline.Source[string]
	for range 3 {
		for _, loop := range loops {
			all = append(all, topic.Subscribe(loop, pipeline.Newest))
		}
	}
	publish(t, topic, "a")
	if err := topic.Publish("bad"); err != errTest {
		t.Errorf("Publish returned %v, the error of Prepare as it is was expected", err)
	}
	publish(t, topic, "b")
	for _, loop := range loops {
		loop.step()
	}
	for _, src := range all {
		wantValues(t, "what Prepare made", src, []string{"<a>", "<b>"}, pipeline.ErrPending)
	}
	if stats := topic.Stats(); prepared != 3 || stats.Published != 2 || stats.Dropped != 0 {
		t.Errorf("Prepare was called %d times and the counts are %+v; 3 calls, 2 messages and none dropped were expected",
			prepared, stats)
	}
}

func TestTopicReplays(t *testing.T) {
	now := time.Unix(1000, 0)
	topic := pipeline.NewTopic(pipeline.TopicOptions[string]{
		Replay: 3, ReplayAge: 10 * time.Second, Backlog: 2,
		ID:     func(v string) string { return v },
		Clock:  func() time.Time { return now },
		Missed: func(n uint64) string { return fmt.Sprintf("missed %d", n) },
	})
	from := func(why string, p pipeline.Position, want ...string) {
		t.Helper()
		src := topic.Subscribe(new(handLoop), p)
		wantValues(t, why, src, want, pipeline.ErrPending)
		src.Close()
	}
	from("nothing was published, and all of it is kept", pipeline.Oldest)
	publish(t, topic, "a", "b", "c", "d", "e")
	from("from now on", pipeline.Newest)
	from("the position of a client that brings no id", pipeline.After(""))
	from("everything that is kept", pipeline.Oldest, "c", "d", "e")
	from("after the first that is kept", pipeline.After("c"), "d", "e")
	from("after the last", pipeline.After("e"))
	from("after one that is no more kept", pipeline.After("a"), "missed 0", "c", "d", "e")
	from("after one that never was", pipeline.After("x"), "missed 0", "c", "d", "e")
	now = now.Add(10 * time.Second)
	from("just not too old", pipeline.Oldest, "c", "d", "e")
	now = now.Add(time.Nanosecond)
	from("too old at Subscribe", pipeline.Oldest)
	from("the id of one too old", pipeline.After("d"))
	publish(t, topic, "f")
	from("one that is new", pipeline.After("d"), "missed 0", "f")
	now = now.Add(time.Hour)
	publish(t, topic, "g")
	from("too old at Deliver", pipeline.Oldest, "g")
}

// Where an id comes twice the later one counts, and goes on to count when the first is dropped.
func TestTopicIDThatComesTwice(t *testing.T) {
	for _, policy := range []pipeline.LagPolicy{pipeline.SkipOldest, pipeline.KeepLatest} {
		topic := pipeline.NewTopic(pipeline.TopicOptions[int]{
			Replay: 3, Policy: policy, Key: func(v int) string { return fmt.Sprint(v) },
		})
		for v, id := range []string{"a", "b", "a", "c", "d"} {
			if err := topic.Deliver(id, v); err != nil {
				t.Errorf("Deliver returned %v, but the topic is open", err)
			}
		}
		wantValues(t, "after the later one", topic.Subscribe(new(handLoop), pipeline.After("a")), []int{3, 4}, pipeline.ErrPending)
	}
}

// A client that has the latest message of a key goes on behind it, though another has replaced that.
func TestTopicKnowsTheIDOfAMessageThatWasReplaced(t *testing.T) {
	topic := pipeline.NewTopic(pipeline.TopicOptions[string]{
		Replay: 2, Policy: pipeline.KeepLatest,
		ID:     func(v string) string { return v },
		Key:    func(v string) string { return v[:1] },
		Missed: func(n uint64) string { return fmt.Sprintf("missed %d", n) },
	})
	publish(t, topic, "a1", "b1", "b2", "b3")
	wantValues(t, "after one that was replaced", topic.Subscribe(new(handLoop), pipeline.After("b1")),
		[]string{"missed 1", "b3"}, pipeline.ErrPending)
	wantValues(t, "the latest of each key", topic.Subscribe(new(handLoop), pipeline.Oldest),
		[]string{"a1", "missed 2", "b3"}, pipeline.ErrPending)
}

func TestTopicClosed(t *testing.T) {
	loop := new(handLoop)
	asked := 0
	topic := pipeline.NewTopic(pipeline.TopicOptions[int]{Replay: 2, Prepare: func(_ string, v int) (int, error) {
		asked++
		return v, nil
	}})
	w := new(task)
	before, waiting := topic.Subscribe(loop, pipeline.Newest), topic.Subscribe(loop, pipeline.Newest)
	publish(t, topic, 1, 2, 3)
	loop.step()
	if _, err := takeAll(waiting); err != pipeline.ErrPending {
		t.Fatalf("the stream ended with %v, but the topic is open", err)
	}
	_, _ = waiting.Poll(w)
	topic.Close()
	topic.Close()
	if !loop.step() || !w.woken || loop.step() {
		t.Error("a Close should make one post, which wakes who waits")
	}
	if err := errors.Join(topic.Publish(4), topic.Deliver("id", 4)); asked != 3 || !errors.Is(err, pipeline.ErrClosed) {
		t.Errorf("a closed topic returned %v, ErrClosed was expected, and nothing prepared", err)
	}
	wantValues(t, "who had all of it", waiting, nil, io.EOF)
	wantValues(t, "who had some still to get", before, []int{1, 2, 3}, io.EOF)
	for _, on := range []*handLoop{loop, {}} {
		wantValues(t, "a late subscriber", topic.Subscribe(on, pipeline.Oldest), []int{2, 3}, io.EOF)
		wantValues(t, "a late subscriber from now on", topic.Subscribe(on, pipeline.Newest), nil, io.EOF)
	}
	if loop.step() {
		t.Error("a subscription to a closed topic posted something")
	}
}

// A message that is being prepared when the topic is closed comes too late: streams may have ended already.
func TestTopicClosedWhileAMessageIsPrepared(t *testing.T) {
	var topic *pipeline.Topic[int]
	topic = pipeline.NewTopic(pipeline.TopicOptions[int]{Prepare: func(_ string, v int) (int, error) {
		topic.Close()
		return v, nil
	}})
	if err := topic.Publish(1); err != pipeline.ErrClosed || topic.Stats().Published != 0 {
		t.Errorf("Publish returned %v and %d messages were taken, ErrClosed and none were expected", err, topic.Stats().Published)
	}
}

func TestTopicStats(t *testing.T) {
	loops := []*handLoop{{}, {}}
	topic := pipeline.NewTopic(pipeline.TopicOptions[int]{Backlog: 2})
	var all []pipeline.Source[int]
	for i := range 4 {
		all = append(all, topic.Subscribe(loops[i%2], pipeline.Newest))
	}
	publish(t, topic, 1, 2, 3, 4, 5)
	for _, loop := range loops {
		loop.step()
	}
	for _, src := range all[:3] {
		wantValues(t, "the latest two", src, []int{4, 5}, pipeline.ErrPending)
	}
	want := pipeline.TopicStats{Subscribers: 4, Published: 5, Delivered: 6, Dropped: 9}
	if got := topic.Stats(); got != want {
		t.Errorf("the counts are %+v, %+v were expected", got, want)
	}
	for _, src := range all {
		src.Close()
	}
	want.Subscribers = 0
	if got := topic.Stats(); got != want {
		t.Errorf("with nobody left the counts are %+v, %+v were expected", got, want)
	}
}

func TestNewTopicRefusesNonsense(t *testing.T) {
	for _, o := range []pipeline.TopicOptions[int]{{Backlog: -1}, {Replay: -1}, {ReplayAge: -1}, {Policy: pipeline.Evict + 1}} {
		func() {
			defer func() {
				if text, ok := recover().(string); !ok || !strings.Contains(text, "expected") {
					t.Errorf("a topic with the options %+v was made, or the panic is no sentence: %q", o, text)
				}
			}()
			pipeline.NewTopic(o)
		}()
	}
}

// A topic that is published to at any time and then closed keeps the laws, whatever its policy.
func TestTopicKeepsTheLaws(t *testing.T) {
	want := []int{1, 2, 3, 4, 5, 6, 7, 8}
	for _, c := range []struct {
		policy  pipeline.LagPolicy
		backlog int
		from    pipeline.Position
	}{
		{pipeline.SkipOldest, 8, pipeline.Newest},
		{pipeline.KeepLatest, 8, pipeline.Newest},
		{pipeline.Evict, 8, pipeline.Newest},
		{pipeline.SkipOldest, 1, pipeline.Oldest}, // from Replay, most of the time
		{pipeline.KeepLatest, 1, pipeline.Oldest},
		{pipeline.Evict, 1, pipeline.Oldest},
	} {
		// One that begins in the past has begun with all of it: from there on it is held to its Backlog.
		past := c.from == pipeline.Oldest
		pipelinetest.TestSource(t, pipelinetest.SourceCase[int]{
			Make: func(turn *pipelinetest.Turn) pipeline.Source[int] {
				topic := pipeline.NewTopic(pipeline.TopicOptions[int]{
					Backlog: c.backlog, Policy: c.policy, Replay: 8, Key: func(v int) string { return fmt.Sprint(v) },
				})
				next := 1
				var produce func()
				produce = func() {
					if next > len(want) {
						topic.Close()
						return
					}
					publish(t, topic, next)
					next++
					if !past {
						turn.Later(produce)
					}
				}
				for past && next <= len(want) {
					produce()
				}
				turn.Later(produce)
				return topic.Subscribe(turn, c.from)
			},
			Want: want,
		})
	}
}
