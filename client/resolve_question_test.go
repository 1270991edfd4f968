package client

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/penstock-go/penstock/pipeline"
)

func TestResolveBoundsTheQuestions(t *testing.T) {
	h := newHandNames(t, nameOptions{asking: 2, queued: 2})
	var waiting []pipeline.Source[[]netip.Addr]
	for _, host := range []string{"a.test", "b.test", "c.test", "d.test"} {
		h.answer[host] = firstAnswer
		waiting = append(waiting, h.waits(host, "there is room"))
	}
	if len(h.work) != 2 {
		t.Fatalf("two questions should be asked at a time, and %d are", len(h.work))
	}
	h.refuses("e.test", "beyond two that are asked and two that wait", errManyQuestions)
	h.refuses("e.test", "as a kind", ErrResolve)
	for i, src := range waiting {
		h.run()
		h.gets(src, fmt.Sprintf("question %d, in the order in which they came", i), firstAnswer...)
	}
	h.waits("e.test", "there is room again, and the refusal was not kept")
}

func TestResolveServesOldAnswersWhenThereAreTooManyQuestions(t *testing.T) {
	h := newHandNames(t, nameOptions{asking: 1, queued: 1})
	h.answer["old.test"] = firstAnswer
	h.waits("old.test", "at first")
	h.run()
	h.advance(time.Minute)
	h.waits("a.test", "there is room")
	h.waits("b.test", "there is room in the queue")
	h.knows("old.test", "there is no room, but an old answer", firstAnswer...)
}

func TestResolveAbandonsAWorkerThatDoesNotComeBack(t *testing.T) {
	h := newHandNames(t, nameOptions{asking: 1, abandoned: 1})
	h.answer["a.test"], h.answer["b.test"], h.answer["c.test"] = firstAnswer, secondAnswer, firstAnswer
	slow, other := h.waits("a.test", "a free worker"), h.waits("b.test", "no free worker")
	h.advance(5*time.Second - 1)
	if len(h.work) != 1 {
		t.Fatalf("with one worker, one question should be asked at a time, and %d are", len(h.work))
	}
	h.advance(1)
	h.isRefused(slow, "the resolver hangs", errSlowResolver)
	h.refuses("a.test", "the resolver hangs for this name", errSlowResolver)
	if len(h.work) != 2 {
		t.Fatalf("beside the worker that was abandoned there should be another, and there are %d", len(h.work))
	}
	h.work[0], h.work[1] = h.work[1], h.work[0]
	h.run()
	h.gets(other, "another worker has asked", secondAnswer...)
	h.waits("c.test", "a free worker")
	h.advance(5 * time.Second)
	h.waits("d.test", "there may be one abandoned worker, and now two hang")
	if len(h.work) != 2 {
		t.Fatalf("with two workers that hang there should be no third, and there are %d", len(h.work))
	}
	h.run()
	h.knows("a.test", "it came late, but it came", firstAnswer...)
	h.run()
	h.knows("c.test", "it came late, too", firstAnswer...)
	if h.run(); !slices.Equal(h.asked, []string{"b.test", "a.test", "c.test", "d.test"}) {
		t.Errorf("the resolver should have been asked for b, a, c and d, and was for %q", h.asked)
	}
	if q := &h.questions; q.asking != 0 || q.abandoned != 0 || len(q.byHost) != 0 || q.queue.Len() != 0 {
		t.Errorf("when every worker has come back nothing should be counted, and there are %d asking, %d abandoned, %d questions", q.asking, q.abandoned, len(q.byHost))
	}
}

func TestResolveDoesNotWaitForAWorkerForEver(t *testing.T) {
	h := newHandNames(t, nameOptions{asking: 1, abandoned: -1})
	h.answer["b.test"] = firstAnswer
	h.waits("a.test", "a free worker")
	h.advance(time.Second)
	src := h.waits("b.test", "no free worker")
	h.advance(5*time.Second - 1)
	h.waits("b.test", "it has been waited for a little less than may be")
	h.advance(1)
	h.isRefused(src, "there was no worker for five seconds", errNotAsked)
	src = h.waits("b.test", "that it was not asked was not kept")
	h.run()
	h.run()
	h.gets(src, "the worker has come back", firstAnswer...)
}

func TestResolveCancelsTheContextOfAQuestionThatHasTimedOut(t *testing.T) {
	h := newHandNames(t, nameOptions{})
	h.waits("host.test", "at first")
	h.advance(5 * time.Second)
	h.run()
	if h.context.Err() == nil {
		t.Error("the context should be cancelled when the question's time is over, and is not")
	}
}

func TestResolveServesOldAnswersWhenTheResolverHangs(t *testing.T) {
	h := newHandNames(t, nameOptions{})
	h.answer["host.test"] = firstAnswer
	h.waits("host.test", "at first")
	h.run()
	h.advance(time.Minute)
	src := h.waits("host.test", "the answer is old")
	h.advance(5 * time.Second)
	h.gets(src, "the resolver hangs", firstAnswer...)
	h.advance(time.Second)
	h.knows("host.test", "from now on nobody waits for it", firstAnswer...)
}

func TestResolveDoesNotAskForNobody(t *testing.T) {
	h := newHandNames(t, nameOptions{asking: 1})
	h.answer["a.test"], h.answer["b.test"] = firstAnswer, secondAnswer
	asked, queued, both := h.waits("a.test", "a free worker"), h.waits("b.test", "no free worker"), h.waits("b.test", "the same")
	asked.Close()
	asked = h.waits("a.test", "it goes on being asked")
	asked.Close()
	last := h.waits("a.test", "and on")
	queued.Close()
	if h.questions.queue.Len() != 1 {
		t.Fatal("one still waits for b, so its question should be in the queue, and it is not")
	}
	both.Close()
	both.Close()
	h.run()
	h.gets(last, "all the time there was one question", firstAnswer...)
	h.turn.Woken() // by that
	if len(h.work) > 0 || h.questions.queue.Len() > 0 || len(h.questions.byHost) > 0 {
		t.Errorf("nobody waits for b any more, so nobody should ask, and there are %d questions", len(h.work))
	}
	h.knows("a.test", "it was being asked already, so the answer is kept", firstAnswer...)
	if h.settle(); h.turn.Woken() {
		t.Error("nobody should be woken who has closed, and somebody was")
	}
	h.advance(time.Minute) // the timers of questions that have ended say nothing
}

func TestResolveRefusesWhenTheExecutorDoes(t *testing.T) {
	h := newHandNames(t, nameOptions{asking: 1})
	h.answer["a.test"] = firstAnswer
	first, queued := h.waits("a.test", "a free worker"), h.waits("b.test", "no free worker")
	h.full = true
	h.run()
	h.gets(first, "it had a worker", firstAnswer...)
	h.isRefused(queued, "there is no worker any more", ErrResolve)
	h.refuses("c.test", "there is no worker", ErrResolve)
	h.full = false
	h.answer["c.test"] = secondAnswer
	src := h.waits("c.test", "there are workers again, and the refusal was not kept")
	h.run()
	h.gets(src, "it had a worker", secondAnswer...)
}

func TestResolveEndsWithTheClient(t *testing.T) {
	h := newHandNames(t, nameOptions{asking: 1})
	h.answer["a.test"] = firstAnswer
	asked, queued := h.waits("a.test", "a free worker"), h.waits("b.test", "no free worker")
	h.close()
	h.close()
	h.isRefused(asked, "it was being asked", ErrClientClosed)
	h.isRefused(queued, "it was not asked yet", ErrClientClosed)
	h.refuses("c.test", "closed", ErrClientClosed)
	if _, err := asked.Poll(h.turn); errors.Is(err, ErrResolve) {
		t.Errorf("that the client was closed is not the name's fault, and the error is %v", err)
	}
	if h.run(); h.context.Err() == nil {
		t.Error("the context of what was being asked should be cancelled, and is not")
	}
	if len(h.work) > 0 {
		t.Error("nothing more should be asked, and something is")
	}
	h.advance(time.Minute)
}

// A worker that comes back late has no say in a question that was asked after its own.
func TestResolveLateAnswerEndsNoOtherQuestion(t *testing.T) {
	h := newHandNames(t, nameOptions{})
	h.waits("host.test", "at first")
	h.advance(6 * time.Second)
	h.advance(time.Second)
	second := h.waits("host.test", "the error is old")
	h.run()
	joined := h.waits("host.test", "the second question is being asked")
	if len(h.work) != 1 {
		t.Fatalf("who asks should join the second question, and there are %d workers", len(h.work))
	}
	h.answer["host.test"] = firstAnswer
	h.run()
	h.gets(second, "the second question", firstAnswer...)
	h.gets(joined, "the second question", firstAnswer...)
}

// A timer that is stopped may be on its way already.
func TestResolveTimerOfTheQueueComesLate(t *testing.T) {
	h := newHandNames(t, nameOptions{asking: 1})
	h.answer["b.test"] = firstAnswer
	h.waits("a.test", "a free worker")
	src := h.waits("b.test", "no free worker")
	late := h.timers[len(h.timers)-1].f
	h.run()
	late()
	h.run()
	h.gets(src, "it was being asked when the timer of the queue came", firstAnswer...)
}

// posts is a loop of which only Post matters.
type posts chan func()

func (p posts) Post(f func()) error { p <- f; return nil }

func (p posts) Wake() {}

// answer polls until there is an answer.
func (p posts) answer(src pipeline.Source[[]netip.Addr]) ([]netip.Addr, error) {
	for {
		addresses, err := src.Poll(p)
		if err != pipeline.ErrPending {
			return addresses, err
		}
		(<-p)()
	}
}

// A resolver that never comes back takes nothing with it but its worker. Workers, timer and clock are real.
func TestResolverThatHangsHoldsUpNobody(t *testing.T) {
	release, returned := make(chan struct{}), make(chan struct{})
	c := newNameCache(nameOptions{question: time.Millisecond, fresh: time.Hour, resolver: resolverFunc(func(_ context.Context, host string) ([]netip.Addr, error) {
		if host == "hangs.test" {
			<-release // whatever becomes of the context
			close(returned)
		}
		return firstAnswer, nil
	})})
	p := make(posts, 1)
	hangs := c.resolve(p, "hangs.test")
	if _, err := p.answer(hangs); !errors.Is(err, errSlowResolver) || !errors.Is(err, ErrResolve) {
		t.Errorf("a resolver that hangs should give ErrResolve when the time is over, and gives %v", err)
	}
	hangs.Close()
	c.close() // returns
	close(release)
	<-returned
}

// The loops share the cache; run with the race detector.
func TestResolveOnSeveralLoops(t *testing.T) {
	c := newNameCache(nameOptions{fresh: time.Microsecond, failed: -1, asking: 2, hosts: 3, resolver: resolverFunc(func(_ context.Context, host string) ([]netip.Addr, error) {
		return []netip.Addr{netip.AddrFrom4([4]byte{192, 0, 2, host[0]})}, nil
	})})
	defer c.close()
	ended := make(chan error)
	for i := range 4 {
		go func() {
			p := make(posts, 1)
			for j := range 500 {
				host := string(rune('a'+(i+j)%5)) + ".test"
				src := c.resolve(p, host)
				if j%7 == 0 {
					_, _ = src.Poll(p)
					src.Close()
					p = make(posts, 1) // what is posted for that is nobody's
					continue
				}
				addresses, err := p.answer(src)
				src.Close()
				if err != nil || len(addresses) != 1 || addresses[0].As4()[3] != host[0] {
					ended <- fmt.Errorf("for %s came %v, %v", host, addresses, err)
					return
				}
			}
			ended <- nil
		}()
	}
	for range 4 {
		if err := <-ended; err != nil {
			t.Errorf("each loop should get the address of the host that it asks for: %v", err)
		}
	}
}
