package pipeline_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"testing/synctest"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
)

// settled lets all goroutines of its bubble get on as far as they can before Poll or Close returns, so that the turn
// chooses what happens, and not the scheduler.
type settled[T any] struct{ pipeline.Source[T] }

func (s settled[T]) Poll(w pipeline.Waker) (T, error) {
	defer synctest.Wait()
	return s.Source.Poll(w)
}

func (s settled[T]) Close() {
	s.Source.Close()
	synctest.Wait()
}

// channel returns the stream of a channel that steps of the turn send to, values numbered from 1 to n, and
// then close. What is not taken is released by who sends, once the consumer has gone.
func channel[T any](turn *pipelinetest.Turn, capacity, n int, value func(int) T, release func(T)) pipeline.Source[T] {
	values := make(chan T, capacity)
	subscription := pipelinetest.NewResource(turn, "the subscription")
	sent, gone := 0, false
	src := settled[T]{pipeline.FromChannel(turn, values, func() {
		subscription.Close()
		gone = true
		for len(values) > 0 {
			release(<-values)
		}
	})}
	var produce func()
	produce = func() {
		defer synctest.Wait()
		if gone {
			return
		}
		if sent == n {
			close(values)
			return
		}
		v := value(sent + 1)
		select {
		case values <- v:
			sent++
		default: // full, or nobody receives
			release(v)
		}
		turn.Later(produce)
	}
	turn.Later(produce)
	return src
}

func same(v int) int { return v }

// A channel that is sent to and closed at any time, and whose stream is closed at any time, keeps the laws. That the
// bubble ends says that no goroutine was left behind.
func TestFromChannel(t *testing.T) {
	for _, capacity := range []int{0, 1, 3} {
		synctest.Test(t, func(t *testing.T) {
			pipelinetest.TestSource(t, pipelinetest.SourceCase[int]{
				Make: func(turn *pipelinetest.Turn) pipeline.Source[int] {
					return channel(turn, capacity, 6, same, func(int) {})
				},
				Want: []int{1, 2, 3, 4, 5, 6},
			})
		})
	}
}

func TestFromChannelReleasesEachValueOnce(t *testing.T) {
	for _, capacity := range []int{0, 2} {
		synctest.Test(t, func(t *testing.T) {
			pipelinetest.TestSource(t, pipelinetest.SourceCase[*pipelinetest.Resource]{
				Make: func(turn *pipelinetest.Turn) pipeline.Source[*pipelinetest.Resource] {
					return channel(turn, capacity, 3, func(v int) *pipelinetest.Resource {
						return pipelinetest.NewResource(turn, fmt.Sprintf("value %d", v))
					}, (*pipelinetest.Resource).Close)
				},
				Want: make([]*pipelinetest.Resource, 3),
				Same: func(got, want []*pipelinetest.Resource) bool { return len(got) == len(want) },
			})
		})
	}
}

func TestFromChannelReceivesOneValueForEachWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turn := pipelinetest.NewTurn(t, 1)
		values := make(chan int)
		src := pipeline.FromChannel(turn, values, nil)
		taken := func(v int) bool {
			synctest.Wait()
			select {
			case values <- v:
				synctest.Wait()
				return true
			default:
				return false
			}
		}
		if taken(0) {
			t.Error("a value was received before anybody polled")
		}
		for range 3 { // spurious polls
			_, _ = pipelinetest.Poll(turn, src)
		}
		if !taken(1) || taken(2) {
			t.Error("a consumer that waits should have one value received for it, and no more")
		}
		if !turn.Step() || !turn.Woken() || turn.Step() {
			t.Error("the value should be posted once, and that should wake")
		}
		if taken(3) {
			t.Error("a value was received while another waits to be read")
		}
		if v, err := pipelinetest.Poll(turn, src); v != 1 || err != nil {
			t.Errorf("Poll returned %d and %v, the value 1 was expected", v, err)
		}
		if taken(4) {
			t.Error("a value was received though nobody waits")
		}
		pipelinetest.Close(turn, src)
		closed(t, "FromChannel", src)
	})
}

func TestFromChannelNeedsNoGoroutineForWhatIsThere(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	values := make(chan int, 3)
	values <- 1
	values <- 2
	close(values)
	told := 0
	src := pipeline.FromChannel(turn, values, func() { told++ })
	got, err := pipelinetest.Drain(turn, src) // would say that it is pending with nothing to happen
	if len(got) != 2 || err != io.EOF || turn.Step() {
		t.Errorf("got %v and %v, the two values and io.EOF were expected without a post", got, err)
	}
	if told != 0 {
		t.Error("it was told that the consumer has gone, but only the stream has ended")
	}
	pipelinetest.Close(turn, src)
	if told != 1 {
		t.Errorf("after Close it was told %d times that the consumer has gone, once was expected", told)
	}
	if _, err := pipelinetest.Poll(turn, src); err != io.EOF {
		t.Errorf("after Close the stream ends with %v, the end it had reached was expected", err)
	}
}

func TestFromChannelFindsTheEndWhileItWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turn := pipelinetest.NewTurn(t, 1)
		values := make(chan *pipelinetest.Resource)
		src := pipeline.FromChannel(turn, values, nil)
		_, _ = pipelinetest.Poll(turn, src)
		close(values)
		synctest.Wait()
		if got, err := pipelinetest.Drain(turn, src); len(got) != 0 || err != io.EOF {
			t.Errorf("got %d values and %v, io.EOF was expected as the channel is closed", len(got), err)
		}
		pipelinetest.Close(turn, src)
	})
}

func TestFromChannelClosedWithItsValueUnreadHasNotEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turn := pipelinetest.NewTurn(t, 1)
		values := make(chan int)
		src := pipeline.FromChannel(turn, values, nil)
		_, _ = pipelinetest.Poll(turn, src)
		values <- 1
		synctest.Wait()
		turn.Step()
		closed(t, "FromChannel", src)
	})
}

// A loop that has stopped never closes, so who receives for it does what Close would do.
func TestFromChannelOfAStoppedLoopIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turn := pipelinetest.NewTurn(t, 1)
		values := make(chan *pipelinetest.Resource)
		src := pipeline.FromChannel(turn, values, pipelinetest.NewResource(turn, "the subscription").Close)
		_, _ = pipelinetest.Poll(turn, src)
		turn.Stop()
		values <- pipelinetest.NewResource(turn, "the value")
		synctest.Wait()
		pipelinetest.Close(turn, src)
	})
}

func TestFromChannelOfAStoppedLoopTellsWithoutClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turn := pipelinetest.NewTurn(t, 1)
		values := make(chan *counted)
		v, told := new(counted), 0
		src := pipeline.FromChannel(turn, values, func() { told++ })
		_, _ = pipelinetest.Poll(turn, src)
		turn.Stop()
		values <- v
		synctest.Wait()
		if v.closes != 1 || told != 1 {
			t.Errorf("the value was released %d times, and it was told %d times that the consumer has gone; once each was expected",
				v.closes, told)
		}
	})
}

// Close while others send: each value is released once, or stays with who sends, and everybody ends.
func TestFromChannelClosedWhileOthersSend(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range 200 {
		reads, capacity := random.IntN(6), random.IntN(3)
		synctest.Test(t, func(t *testing.T) {
			loop := make(posts, 1)
			ctx, cancel := context.WithCancel(context.Background())
			values := make(chan *counted, capacity)
			var all [2][]*counted
			for i := range all {
				go func() {
					for ctx.Err() == nil {
						v := new(counted)
						all[i] = append(all[i], v)
						select {
						case values <- v:
						case <-ctx.Done():
							v.Close()
						}
					}
				}()
			}
			src := pipeline.FromChannel(loop, values, cancel)
			for w := new(task); reads > 0; {
				v, err := src.Poll(w)
				if err == pipeline.ErrPending {
					(<-loop)()
					continue
				}
				v.Close()
				reads--
			}
			if v, err := src.Poll(new(task)); err == nil {
				v.Close()
			}
			src.Close() // while a goroutine receives, posts, or has posted
			synctest.Wait()
			for len(loop) > 0 {
				(<-loop)()
			}
			for len(values) > 0 {
				(<-values).Close()
			}
			checkClosedOnce(t, append(all[0], all[1]...))
		})
	}
}

// checkClosedOnce checks that each value was released once.
func checkClosedOnce(t *testing.T, values []*counted) {
	t.Helper()
	for i, v := range values {
		if v.closes != 1 {
			t.Errorf("value %d of %d was released %d times, once was expected", i, len(values), v.closes)
		}
	}
}

func ExampleFromChannel() {
	loop := make(posts, 1) // what is posted to it runs on the loop's goroutine: this one
	ctx, cancel := context.WithCancel(context.Background())
	values := make(chan string)
	go func() {
		defer fmt.Println("nobody listens any more")
		defer close(values)
		for n := 1; ; n++ {
			select {
			case values <- fmt.Sprintf("message %d", n):
			case <-ctx.Done():
				return
			}
		}
	}()

	src := pipeline.FromChannel(loop, values, cancel)
	for read := 0; read < 2; {
		v, err := src.Poll(new(task))
		if err == pipeline.ErrPending {
			(<-loop)()
			continue
		}
		fmt.Println(v)
		read++
	}
	src.Close()
	for range values { // until its goroutine has ended
	}
	// Output:
	// message 1
	// message 2
	// nobody listens any more
}
