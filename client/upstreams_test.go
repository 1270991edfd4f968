package client

import (
	"errors"
	"fmt"
	"testing"
)

// TestPassingUpstreamsAreForgotten: the one that was named least recently of those without
// connections.
func TestPassingUpstreamsAreForgotten(t *testing.T) {
	w := newPoolWorld(t, 1, Options{})
	name := func(i int) *Upstream {
		t.Helper()
		u, err := w.client.passingUpstream(fmt.Sprintf("http://10.0.%d.%d", i/256, i%256))
		if err != nil {
			t.Fatalf("upstream %d could not be kept: %v", i, err)
		}
		return u
	}
	var all []*Upstream
	for i := range maxPassing {
		all = append(all, name(i))
	}
	asked, _ := w.client.Upstream("http://10.0.0.2")
	connected := &poolCaller{world: w, loop: w.loops[0]}
	connected.call = all[1].Do(w.loops[0].Loop, &Request{Target: "/"}).(*call)
	connected.task.Init(connected)
	connected.Run()
	if name(0) != all[0] {
		t.Error("an upstream that is named again should be the same")
	}
	name(maxPassing)
	name(maxPassing + 1)
	known := w.client.upstreams.byKey
	if known[all[3].key] != nil || known[all[0].key] == nil || known[all[1].key] == nil || known[asked.key] == nil {
		t.Error("of 1,026 upstreams the one should be forgotten that was named least recently, and none that has connections, was named again, or was asked for")
	}
	if n := w.client.upstreams.passing.Len(); n != maxPassing {
		t.Errorf("%d passing upstreams are kept; there should be %d", n, maxPassing)
	}
	connected.cancel()
	w.settle()
}

// TestForgottenUpstreamIsStillUsed by who has it, and its connections are closed with the client.
func TestForgottenUpstreamIsStillUsed(t *testing.T) {
	w := newPoolWorld(t, 1, Options{})
	u, _ := w.client.passingUpstream("http://10.1.0.1")
	w.upstream = u
	w.begin(0).cancel()
	p := w.pool(0)
	p.cancel(p.dials[0])
	w.client.mu.Lock()
	forgotten := w.client.upstreams.forgetOne()
	w.client.mu.Unlock()
	v, _ := w.client.passingUpstream("http://10.1.0.2")
	if !forgotten || u.index != v.index {
		t.Errorf("the upstream should be forgotten (it was: %t) and its place %d taken by the next, whose place is %d", forgotten, u.index, v.index)
	}
	old := w.begin(0)
	wire := w.succeed(0)
	w.upstream = v
	w.begin(0)
	w.succeed(0).answer()
	w.upstream = u
	old.wantOn("its upstream was forgotten, and still works", wire)
	wire.answer()
	w.settle()
	w.client.Close()
	w.settle()
	if !wire.closed {
		t.Error("the connection to a forgotten upstream should be closed with the client")
	}
}

// TestNoRoomForAnotherUpstream: all have connections.
func TestNoRoomForAnotherUpstream(t *testing.T) {
	w := newPoolWorld(t, 1, Options{})
	for i := range maxPassing {
		u, err := w.client.passingUpstream(fmt.Sprintf("http://10.0.%d.%d", i/256, i%256))
		if err != nil {
			t.Fatalf("upstream %d could not be kept: %v", i, err)
		}
		w.upstream = u
		w.begin(0)
	}
	if _, err := w.client.passingUpstream("http://10.9.9.9"); !errors.Is(err, ErrPoolFull) {
		t.Errorf("one upstream too many gives %v; it should be %v", err, ErrPoolFull)
	}
}
