package pipeline_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/penstock-go/penstock/pipeline"
)

// The model says what each Poll of each subscription returns, who is woken and who is evicted, from nothing but the
// list of all messages, in the words of the documentation and as slowly as it likes. A run does at random what can be
// done to a topic, on a few loops, and compares.

// topicSeed returns the seed of a run: the environment's PIPELINETEST_SEED, or a new one.
func topicSeed(t *testing.T) uint64 {
	seed := rand.Uint64()
	if text := os.Getenv("PIPELINETEST_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("PIPELINETEST_SEED is %q, a decimal number of 64 bits was expected", text)
		}
	}
	return seed
}

// handLoop is a loop turned by hand: it keeps what was posted, and counts.
type handLoop struct {
	posts  []func()
	count  int
	refuse error
}

func (h *handLoop) Post(f func()) error {
	if h.refuse != nil {
		return h.refuse
	}
	h.count++
	h.posts = append(h.posts, f)
	return nil
}

// step runs the post that has waited longest, and returns false if there was none.
func (h *handLoop) step() bool {
	if len(h.posts) == 0 {
		return false
	}
	f := h.posts[0]
	h.posts = h.posts[1:]
	f()
	return true
}

// modelMessage is one message. Its seq is its place in topicModel.messages, from 1.
type modelMessage struct {
	id, key string
	time    time.Time
}

// topicModel is what a topic should be.
type topicModel struct {
	options  pipeline.TopicOptions[int]
	messages []modelMessage
	aged     int // seq up to which messages were too old when that was last looked at
	closed   bool
	stats    pipeline.TopicStats
}

type modelLane struct {
	told     int // seq up to which the loop knows the topic
	finished bool
	posts    []int // on their way, for which life of the lane each
	count    int   // of posts
	life     int   // begins when subs ceases to be 0
	subs     int
}

type modelSubscription struct {
	cursor   int
	past     bool
	unknown  bool
	waiting  bool
	evicted  bool
	end      error
	received []int
	began    int
	skipped  int
}

// latest returns, of the messages 1 to n, for each key the seq of the last one, the newest first.
func (m *topicModel) latest(n int) (seqs []int) {
	seen := make(map[string]bool)
	for seq := n; seq > 0; seq-- {
		key := m.messages[seq-1].key
		if m.options.Policy != pipeline.KeepLatest {
			key = strconv.Itoa(seq) // all are kept
		}
		if !seen[key] {
			seen[key] = true
			seqs = append(seqs, seq)
		}
	}
	return seqs
}

// backlog returns what subscriptions that keep up have to choose from when their loop knows n messages, the newest
// first, and the newest seq that was dropped from it.
func (m *topicModel) backlog(n int) (seqs []int, floor int) {
	for known := n; known > 0; known-- {
		if seqs := m.latest(known); len(seqs) > m.options.Backlog {
			floor = max(floor, seqs[m.options.Backlog])
		}
	}
	seqs = m.latest(n)
	return seqs[:min(len(seqs), m.options.Backlog)], floor
}

// replay returns what is kept of all the messages, the newest first.
func (m *topicModel) replay() (seqs []int) {
	all := m.latest(len(m.messages))
	for _, seq := range all[:min(len(all), m.options.Replay)] {
		if seq > m.aged {
			seqs = append(seqs, seq)
		}
	}
	return seqs
}

// lost is the seq up to which nothing can be replayed, where no message replaces another.
func (m *topicModel) lost() int { return max(len(m.messages)-m.options.Replay, m.aged) }

// age looks which messages are too old.
func (m *topicModel) age(now time.Time) {
	if m.options.ReplayAge == 0 {
		return
	}
	for m.aged < len(m.messages) && now.Sub(m.messages[m.aged].time) > m.options.ReplayAge {
		m.aged++
	}
}

// behind returns the lowest of seqs above after, or 0.
func behind(seqs []int, after int) int {
	for i := len(seqs) - 1; i >= 0; i-- {
		if seqs[i] > after {
			return seqs[i]
		}
	}
	return 0
}

// find says where a subscription begins.
func (m *topicModel) find(from pipeline.Position) (cursor int, unknown bool) {
	kept := m.replay()
	oldest := len(m.messages)
	if len(kept) > 0 {
		oldest = kept[len(kept)-1] - 1
	}
	switch from {
	case pipeline.Newest:
		return len(m.messages), false
	case pipeline.Oldest:
		return oldest, false
	}
	for _, seq := range kept { // the later one counts
		if m.messages[seq-1].id == string(from) {
			return seq, false
		}
	}
	return oldest, true
}

// poll says what a Poll returns.
func (m *topicModel) poll(l *modelLane, s *modelSubscription) (v int, err error) {
	if s.end != nil {
		return 0, s.end
	}
	kept, floor := m.backlog(l.told)
	next := 0
	if s.past {
		next = behind(m.replay(), s.cursor)
		if next == 0 || next > floor {
			s.past, next = false, 0
		}
	}
	if next == 0 {
		next = behind(kept, s.cursor)
	}
	if next == 0 && l.finished {
		s.end, s.waiting = io.EOF, false
		return 0, io.EOF
	}
	if next == 0 {
		s.waiting = true
		return 0, pipeline.ErrPending
	}
	s.waiting = false
	missed := next - s.cursor - 1
	if missed > 0 && m.options.Policy == pipeline.Evict {
		s.end = pipeline.ErrEvicted
		m.stats.Evicted++
		return 0, s.end
	}
	m.stats.Dropped += uint64(missed)
	s.skipped += missed
	told := missed > 0 || s.unknown
	if s.unknown {
		missed, s.unknown = 0, false
	}
	if told && m.options.Missed != nil {
		s.cursor = next - 1
		return m.options.Missed(uint64(missed)), nil
	}
	s.cursor = next
	m.stats.Delivered++
	s.received = append(s.received, next)
	return next, nil
}

// run says what a post does: it returns whether those that wait are woken, and evicts.
func (m *topicModel) run(l *modelLane, subs []*modelSubscription) (wakes bool) {
	life := l.posts[0]
	l.posts = l.posts[1:]
	if l.subs == 0 || life != l.life {
		return false
	}
	l.told, l.finished = len(m.messages), m.closed
	if m.options.Policy != pipeline.Evict {
		return true
	}
	_, floor := m.backlog(l.told)
	for _, s := range subs {
		if s.end == nil && !s.waiting && s.cursor < floor && (!s.past || s.cursor < m.lost()) {
			s.end, s.evicted = pipeline.ErrEvicted, true
			m.stats.Evicted++
		}
	}
	return true
}

// subscribe says how a subscription begins.
func (m *topicModel) subscribe(l *modelLane, from pipeline.Position, now time.Time) *modelSubscription {
	if from != pipeline.Newest {
		m.age(now)
	}
	if l.subs == 0 {
		l.life++
	}
	l.told, l.finished = len(m.messages), m.closed
	l.subs++
	s := new(modelSubscription)
	s.cursor, s.unknown = m.find(from)
	_, floor := m.backlog(l.told)
	s.past = s.cursor < floor
	s.began = s.cursor
	return s
}

func (m *topicModel) String() string {
	o := m.options
	return fmt.Sprintf("backlog %d, policy %d, replay %d, age %v", o.Backlog, o.Policy, o.Replay, o.ReplayAge)
}
