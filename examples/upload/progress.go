package main

import (
	"fmt"
	"strings"
	"sync"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

const (
	longestID    = 64
	longestEvent = 256
	leastStep    = 256 << 10 // bytes between two events
	mostSteps    = 200       // events of one upload, if its length is known
)

// progress has a topic for each id that somebody asks for, from the first who does until
// the last has gone. It keeps the latest event, so that who comes late knows how far it is,
// and who is slow misses what is no news any more. Its methods may be called on any
// goroutine.
type progress struct {
	mutex  sync.Mutex
	topics map[string]*sharedTopic
}

type sharedTopic struct {
	*pipeline.Topic[server.Event]
	users int
}

func newProgress() *progress { return &progress{topics: make(map[string]*sharedTopic)} }

func validID(id string) bool {
	return len(id) <= longestID && !strings.ContainsFunc(id, func(r rune) bool {
		return r != '-' && (r < '0' || r > '9') && (r|0x20 < 'a' || r|0x20 > 'z')
	})
}

// use returns the topic of id; release is called once when it is not used any more.
func (p *progress) use(id string) (topic *pipeline.Topic[server.Event], release func()) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	shared := p.topics[id]
	if shared == nil {
		shared = &sharedTopic{Topic: server.NewTopic(longestEvent, pipeline.TopicOptions[server.Event]{
			Policy: pipeline.KeepLatest,
			Replay: 1,
		})}
		p.topics[id] = shared
	}
	shared.users++
	return shared.Topic, func() {
		p.mutex.Lock()
		defer p.mutex.Unlock()
		if shared.users--; shared.users == 0 {
			delete(p.topics, id)
		}
	}
}

// events gives how much of the upload with this id has come, until somebody has no use for it.
func (p *progress) events(loop pipeline.Poster, id string) pipeline.Source[server.Event] {
	topic, release := p.use(id)
	return pipeline.OnClose(topic.Subscribe(loop, pipeline.Oldest), release)
}

// An upload's meter counts what has come and publishes it. It belongs to one loop.
type meter struct {
	topic           *pipeline.Topic[server.Event]
	received, total int64 // total is -1 if it is not known
	published       int64
}

// measure passes body on, and publishes under id how much of its total has come.
func (p *progress) measure(body pipeline.Source[[]byte], id string, total int64) pipeline.Source[[]byte] {
	if id == "" {
		return body
	}
	topic, release := p.use(id)
	m := &meter{topic: topic, total: total}
	return pipeline.OnClose(pipeline.Inspect(body, m.see), release)
}

func (m *meter) see(chunk []byte, err error) {
	m.received += int64(len(chunk))
	if err == nil && m.received-m.published < max(leastStep, m.total/mostSteps) {
		return
	}
	m.published = m.received
	// A topic that nobody closes takes every event that is as short as this.
	_ = m.topic.Publish(server.Event{Data: fmt.Sprintf(`{"received":%d,"total":%d,"ended":%t}`, m.received, m.total, err != nil)})
}
