package pipeline_test

import (
	"fmt"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
)

func ExampleTopic() {
	loop := new(handLoop) // in a program a *loop.Loop, here turned by hand
	news := pipeline.NewTopic(pipeline.TopicOptions[string]{Replay: 100})
	_ = news.Publish("before anybody listened")

	late := news.Subscribe(loop, pipeline.Newest)
	all := news.Subscribe(loop, pipeline.Oldest)
	_ = news.Publish("for everybody") // on any goroutine
	news.Close()
	loop.step()

	show(late)
	show(all)
	// Output:
	// for everybody
	// EOF
	// before anybody listened
	// for everybody
	// EOF
}

// wire is a message system as small as can be: it numbers what is sent, and hands it to all who receive.
type wire struct {
	sent      int
	receivers []*pipeline.Topic[string]
}

// Publish is what the application of each machine calls.
func (w *wire) Publish(v string) error {
	w.sent++
	for _, topic := range w.receivers {
		if err := topic.Deliver(fmt.Sprintf("wire-%d", w.sent), v); err != nil {
			return err
		}
	}
	return nil
}

// Two machines have a topic each, and a client goes from one to the other.
func ExamplePublisher() {
	here := pipeline.NewTopic(pipeline.TopicOptions[string]{Replay: 10})
	there := pipeline.NewTopic(pipeline.TopicOptions[string]{Replay: 10})
	var publisher pipeline.Publisher[string] = &wire{receivers: []*pipeline.Topic[string]{here, there}}

	_ = publisher.Publish("first")  // wire-1, which the client gets here
	_ = publisher.Publish("second") // wire-2, which comes while it is away
	loop := new(handLoop)
	client := there.Subscribe(loop, pipeline.After("wire-1"))
	_ = publisher.Publish("third") // wire-3
	there.Close()
	loop.step()
	show(client)
	// Output:
	// second
	// third
	// EOF
}

// Wherever a client comes back, and after whatever message, it gets the rest and nothing twice.
func TestTwoMachinesOnOneWire(t *testing.T) {
	loops := []*handLoop{{}, {}}
	w := new(wire)
	for range loops {
		w.receivers = append(w.receivers, pipeline.NewTopic(pipeline.TopicOptions[string]{Replay: 10}))
	}
	var publisher pipeline.Publisher[string] = w
	var all []string
	for i := range 6 {
		all = append(all, fmt.Sprint("message ", i+1))
		if err := publisher.Publish(all[i]); err != nil {
			t.Errorf("Publish returned %v, but both topics are open", err)
		}
	}
	for last := 1; last <= len(all); last++ {
		for i, topic := range w.receivers {
			src := topic.Subscribe(loops[i], pipeline.After(fmt.Sprint("wire-", last)))
			wantValues(t, fmt.Sprintf("on machine %d, after message %d", i, last), src, all[last:], pipeline.ErrPending)
			src.Close()
		}
	}
}
