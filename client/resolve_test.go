package client

import (
	"context"
	"errors"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
)

func TestResolveKeepsTheLaws(t *testing.T) {
	for what, makeOptions := range map[string]nameOptions{"a name": {}, "a name that is not kept": {fresh: -1, failed: -1}} {
		t.Run(what, func(t *testing.T) {
			pipelinetest.TestSource(t, pipelinetest.SourceCase[[]netip.Addr]{
				Make: func(turn *pipelinetest.Turn) pipeline.Source[[]netip.Addr] {
					o := makeOptions
					o.executor = turn
					o.resolver = resolverFunc(func(context.Context, string) ([]netip.Addr, error) { return firstAnswer, nil })
					o.after = func(time.Duration, func()) func() bool { return func() bool { return true } }
					return newNameCache(o).resolve(turn, "host.test")
				},
				Want: [][]netip.Addr{firstAnswer},
			})
		})
	}
}

type resolverFunc func(context.Context, string) ([]netip.Addr, error)

func (f resolverFunc) Resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	return f(ctx, host)
}

func TestResolveAsksOnceForAllWhoWait(t *testing.T) {
	h := newHandNames(t, nameOptions{})
	h.answer["host.test"] = firstAnswer
	first, second := h.waits("host.test", "the first"), h.waits("HOST.test", "another, while the first waits")
	if len(h.work) != 1 {
		t.Fatalf("two who wait for one host should make one question, and made %d", len(h.work))
	}
	h.run()
	h.gets(first, "the first", firstAnswer...)
	h.gets(second, "the second", firstAnswer...)
	h.knows("Host.Test", "a third, when the answer is there", firstAnswer...)
	if h.turn.Step() || len(h.work) > 0 || !slices.Equal(h.asked, []string{"host.test"}) {
		t.Fatalf("what is known should be said without a post and a worker, and the resolver was asked for %q", h.asked)
	}
	if n := len(h.setTimers()); n != 0 {
		t.Errorf("no timer should be set when the question has ended, and %d are", n)
	}
}

func TestResolveDoesNotAskBeforeItIsPolled(t *testing.T) {
	h := newHandNames(t, nameOptions{})
	src := h.resolve(h.turn, "host.test")
	src.Close()
	if _, err := src.Poll(h.turn); err != pipeline.ErrClosed || len(h.work) > 0 {
		t.Fatalf("closed before it was polled, it should give ErrClosed and ask for nothing, and gave %v with %d questions", err, len(h.work))
	}
}

func TestResolveAsksNobodyForAnAddress(t *testing.T) {
	h := newHandNames(t, nameOptions{})
	for host, want := range map[string]string{
		"127.0.0.1": "127.0.0.1", "::1": "::1", "fe80::1%eth0": "fe80::1%eth0", "::ffff:10.0.0.1": "10.0.0.1",
	} {
		h.knows(host, "an address", netip.MustParseAddr(want))
	}
	if len(h.work) > 0 {
		t.Errorf("an address should need no resolver, and there are %d questions", len(h.work))
	}
}

func TestResolveRefusesWhatIsNoName(t *testing.T) {
	h := newHandNames(t, nameOptions{})
	for _, host := range []string{"", strings.Repeat("a", 255)} {
		h.refuses(host, "a name of a wrong length", ErrResolve)
	}
	if len(h.work) > 0 {
		t.Errorf("the resolver should not be asked for what is no name, and there are %d questions", len(h.work))
	}
}

func TestResolveGivesEachAddressOnce(t *testing.T) {
	h := newHandNames(t, nameOptions{})
	for i := range 100 {
		h.answer["host.test"] = append(h.answer["host.test"], netip.AddrFrom4([4]byte{192, 0, 2, byte(i / 2)}))
	}
	h.answer["host.test"][1] = netip.MustParseAddr("::ffff:192.0.2.0")
	h.answer["host.test"][2] = netip.Addr{}
	src := h.waits("host.test", "the first")
	h.run()
	h.settle()
	got, err := src.Poll(h.turn)
	if len(got) != maxAddresses || got[0] != netip.MustParseAddr("192.0.2.0") || got[1] != netip.MustParseAddr("192.0.2.1") || err != nil {
		t.Errorf("of 100 addresses, twice each, the first %d should be given, and %v, %v are", maxAddresses, got, err)
	}
}

func TestResolveAsksAgainWhenTheAnswerIsOld(t *testing.T) {
	h := newHandNames(t, nameOptions{})
	h.answer["host.test"] = firstAnswer
	h.waits("host.test", "at first")
	h.run()
	h.answer["host.test"] = secondAnswer
	h.advance(30*time.Second - 1)
	h.knows("host.test", "just before the answer is old", firstAnswer...)
	h.advance(1)
	src := h.waits("host.test", "now that it is old")
	h.run()
	h.gets(src, "the new answer", secondAnswer...)
	h.advance(29 * time.Second)
	h.knows("host.test", "the new answer, which has a time of its own", secondAnswer...)
}

func TestResolveKeepsAnErrorForAMoment(t *testing.T) {
	h := newHandNames(t, nameOptions{})
	src := h.waits("host.test", "at first")
	h.run()
	h.isRefused(src, "the resolver's error", errNames)
	h.advance(time.Second - 1)
	h.refuses("host.test", "a moment later", errNames)
	h.refuses("host.test", "as a kind", ErrResolve)
	h.advance(1)
	h.answer["host.test"] = firstAnswer
	src = h.waits("host.test", "a second later")
	h.run()
	h.gets(src, "the resolver has recovered", firstAnswer...)
}

func TestResolveServesOldAnswersWhileTheResolverFails(t *testing.T) {
	h := newHandNames(t, nameOptions{fresh: 30 * time.Second, stale: time.Minute})
	h.answer["host.test"] = firstAnswer
	h.waits("host.test", "at first")
	h.run()
	h.fails = errNames
	h.advance(30 * time.Second)
	src := h.waits("host.test", "now that the answer is old")
	h.run()
	h.gets(src, "the resolver has failed", firstAnswer...)
	h.knows("host.test", "a moment later", firstAnswer...)
	if len(h.work) != 0 {
		t.Fatal("within a second of its failure the resolver should not be asked again, and it is")
	}
	h.advance(time.Second)
	h.knows("host.test", "a second later", firstAnswer...)
	h.knows("host.test", "and again", firstAnswer...)
	if len(h.work) != 1 {
		t.Fatalf("beside old answers the resolver should be asked once a second, and there are %d questions", len(h.work))
	}
	h.run()
	h.advance(59*time.Second - 1)
	h.knows("host.test", "for a minute beyond its time", firstAnswer...)
	h.run()
	h.advance(1)
	h.refuses("host.test", "when the answer is too old", errNames)
}

func TestResolveForgetsOldAnswersOfANameThatIsGone(t *testing.T) {
	for what, gone := range map[string]error{"no such host": noSuchName("host.test"), "no address": nil} {
		h := newHandNames(t, nameOptions{})
		h.answer["host.test"] = firstAnswer
		h.waits("host.test", "at first")
		h.run()
		if h.fails = gone; gone == nil {
			h.answer["host.test"] = []netip.Addr{{}}
		}
		h.advance(time.Minute)
		src := h.waits("host.test", what)
		h.run()
		h.isRefused(src, what, ErrResolve)
		h.refuses("host.test", what, ErrResolve)
	}
}

func TestResolveForgetsTheOldestHosts(t *testing.T) {
	h := newHandNames(t, nameOptions{hosts: 2})
	ask := func(host string) {
		h.answer[host] = firstAnswer
		h.waits(host, "not known")
		h.run()
		h.advance(time.Second)
	}
	ask("a.test")
	ask("b.test")
	h.advance(time.Minute)
	ask("a.test") // again: now it is b's answer that is the oldest
	ask("c.test")
	h.knows("a.test", "younger than that of b", firstAnswer...)
	h.knows("c.test", "the youngest", firstAnswer...)
	ask("b.test")
	if n := len(h.answers.byHost); n != 2 || h.answers.byAge.Len() != 2 {
		t.Errorf("two hosts should be kept, and %d are", n)
	}
}

func TestResolveSurvivesAResolverThatPanics(t *testing.T) {
	h := newHandNames(t, nameOptions{})
	h.panics = errNames
	src := h.waits("host.test", "at first")
	h.run()
	h.isRefused(src, "the resolver has panicked", errNames)
	var caught *pipeline.PanicError
	if _, err := src.Poll(h.turn); !errors.As(err, &caught) || !strings.Contains(string(caught.Stack), "Resolve") {
		t.Errorf("the error should say where the resolver has panicked, and is %v", err)
	}
}

func TestResolveSurvivesAResolverThatEndsItsGoroutine(t *testing.T) {
	h := newHandNames(t, nameOptions{})
	h.options.resolver = resolverFunc(func(context.Context, string) ([]netip.Addr, error) {
		runtime.Goexit()
		return nil, nil
	})
	src := h.waits("host.test", "at first")
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		h.run()
	}()
	<-ended
	h.isRefused(src, "the resolver's goroutine has ended", errExited)
}
