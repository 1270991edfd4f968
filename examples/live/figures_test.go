package main

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/examples/internal/program/programtest"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// measured are the figures that the program answers with.
func (p *running) measured() map[string]float64 {
	p.t.Helper()
	resp, body := programtest.Do(p.t, "GET", p.base+"/figures", "")
	var figures map[string]float64
	if err := json.Unmarshal([]byte(body), &figures); err != nil || resp.Header.Get("Content-Type") != "application/json" {
		p.t.Fatalf("the figures should be numbers in JSON, and are %s as %s, error %v", body, resp.Header.Get("Content-Type"), err)
	}
	return figures
}

func TestFiguresHaveAllFieldsAndGoUp(t *testing.T) {
	p := run(t, "")
	before := p.measured()
	want := []string{"connections", "delivered", "delivered_total", "dropped", "goroutines", "lag", "memory", "requests", "subscribers", "time"}
	if got := slices.Sorted(maps.Keys(before)); !slices.Equal(got, want) {
		t.Errorf("the figures should be %v, and are %v", want, got)
	}
	for _, name := range []string{"goroutines", "memory", "time"} {
		if before[name] <= 0 {
			t.Errorf("the figure %s should be there from the start, and is %v", name, before[name])
		}
	}
	for _, name := range []string{"connections", "delivered", "delivered_total", "dropped", "requests", "subscribers"} {
		if before[name] != 0 {
			t.Errorf("the figure %s should be 0 at the start, and is %v", name, before[name])
		}
	}

	page, messages := p.events("", ""), p.events("?only=messages", "")
	p.publish("one", "two")
	page.expect("one", "two")
	messages.expect("one", "two")
	p.second()
	sent := page.named("figures").data
	first := p.measured()
	for name, least := range map[string]float64{"connections": 2, "requests": 0.1, "subscribers": 2, "delivered": 0.1, "delivered_total": 4, "time": before["time"]} {
		if first[name] < least {
			t.Errorf("with two streams and two messages the figure %s should be at least %v, and is %v", name, least, first[name])
		}
	}
	var published map[string]float64
	if err := json.Unmarshal([]byte(sent), &published); err != nil || !maps.Equal(published, first) {
		t.Errorf("the figures that are answered should be those that were sent, %s, and are %v, error %v", sent, first, err)
	}

	p.publish("three")
	page.expect("three")
	messages.expect("three")
	p.second()
	page.named("figures")
	if second := p.measured(); second["delivered_total"] < first["delivered_total"]+3 { // with the figures
		t.Errorf("after another message to two streams, and figures to one, 3 more events should be delivered than %v, and it is %v",
			first["delivered_total"], second["delivered_total"])
	}
}

func TestHistoryIsBounded(t *testing.T) {
	f := newFigures(server.NewTopic(longestEvent, pipeline.TopicOptions[server.Event]{}))
	for i := range figuresKept + 7 {
		f.add(sample{Time: int64(i)})
	}
	var history []sample
	if err := json.Unmarshal([]byte(f.history()), &history); err != nil {
		t.Fatal(err)
	}
	if len(history) != figuresKept || history[0].Time != 7 || history[figuresKept-1].Time != figuresKept+6 {
		t.Errorf("of %d samples the latest %d should be kept, and %d are, from %d on", figuresKept+7, figuresKept, len(history), history[0].Time)
	}
	if !strings.Contains(f.current(), `"time":126,`) {
		t.Errorf("the current figures should be the latest, and are %s", f.current())
	}
}

// A lateLoop runs what was posted when the test says so.
type lateLoop struct {
	posts   []func()
	stopped bool
}

func (l *lateLoop) Post(f func()) error {
	if l.stopped {
		return errors.New("the loop has stopped")
	}
	l.posts = append(l.posts, f)
	return nil
}

func (l *lateLoop) run() {
	posts := l.posts
	l.posts = nil
	for _, f := range posts {
		f()
	}
}

func TestLagIsTheLongestWait(t *testing.T) {
	now := time.Unix(0, 0)
	loop := &lateLoop{}
	l := newLag(loop, func() time.Time { return now })
	expect := func(why string, want time.Duration) {
		t.Helper()
		if got := l.worst(); got != want {
			t.Errorf("%s the lag should be %v, and is %v", why, want, got)
		}
	}
	wait := func(d time.Duration) {
		l.measure()
		now = now.Add(d)
		loop.run()
	}
	expect("before anything was measured", 0)
	wait(3 * time.Millisecond)
	wait(8 * time.Millisecond)
	wait(2 * time.Millisecond)
	expect("after waits of 3, 8 and 2 ms", 8*time.Millisecond)
	expect("when nothing was measured since", 0)

	l.measure()
	now = now.Add(time.Second)
	l.measure()
	now = now.Add(time.Second)
	expect("when a function has been waiting for 2 s", 2*time.Second)
	if len(loop.posts) != 1 {
		t.Errorf("one function should be on its way to a loop that is late, and %d are", len(loop.posts))
	}
	now = now.Add(time.Second)
	loop.run()
	expect("when it has run after 3 s", 3*time.Second)

	loop.stopped = true
	l.measure()
	now = now.Add(time.Second)
	expect("of a loop that has stopped", 0)
}
