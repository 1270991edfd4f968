package pipelinetest

import (
	"errors"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
)

// wakesOnly is a waker of a stage's own that can not be aborted.
type wakesOnly struct{ w pipeline.Waker }

func (w wakesOnly) Wake() { w.w.Wake() }

// abortsTwice tells the consumer of one failure twice.
type abortsTwice struct{ wakesOnly }

func (w abortsTwice) Abort(err error) {
	for range 2 {
		w.w.(pipeline.Aborter).Abort(err)
	}
}

func TestAbortMustReachTheConsumer(t *testing.T) {
	for _, c := range []struct {
		name, want string
		waker      func(w pipeline.Waker) pipeline.Waker
	}{
		{"the waker that it was given", "", func(w pipeline.Waker) pipeline.Waker { return w }},
		{"one that can only be woken", "law 4", func(w pipeline.Waker) pipeline.Waker { return wakesOnly{w} }},
		{"one that aborts twice", "law 4", func(w pipeline.Waker) pipeline.Waker { return abortsTwice{wakesOnly{w}} }},
	} {
		var r recorder
		TestStage(&r, StageCase[int, int]{
			Stage: func(src pipeline.Source[int]) pipeline.Source[int] {
				s := &mutant[int]{src: src}
				s.poll = func(w pipeline.Waker) (int, error) { return src.Poll(c.waker(w)) }
				return s
			},
			In: []int{1, 2}, Want: []int{1, 2},
		})
		t.Log(c.name)
		expect(t, &r, c.want)
		r = recorder{}
		TestBytes(&r, BytesCase[[]byte]{
			Stage: func(src pipeline.Source[[]byte]) pipeline.Source[[]byte] {
				s := &mutant[[]byte]{src: src}
				s.poll = func(w pipeline.Waker) ([]byte, error) { return src.Poll(c.waker(w)) }
				return s
			},
			In: []byte("ab"), Want: [][]byte{[]byte("ab")}, Same: SameBytes,
		})
		expect(t, &r, c.want)
	}
}

// A stage that has ended before upstream was aborted has nothing to tell.
func TestAbortOfAStageThatHasEnded(t *testing.T) {
	var r recorder
	end := errors.New("the stage has had enough")
	TestStage(&r, StageCase[int, int]{
		Stage: func(src pipeline.Source[int]) pipeline.Source[int] {
			return pipeline.Map(src, func(v int) (int, error) {
				if v == 2 {
					return 0, end
				}
				return v, nil
			})
		},
		In: []int{1, 2, 3}, Want: []int{1}, WantEnd: end,
	})
	expect(t, &r, "")
}
