package pipelinetest_test

import (
	"fmt"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
)

// printer is a Reporter. In a test use t.
type printer struct{}

func (printer) Helper() {}

func (printer) Errorf(format string, args ...any) { fmt.Printf(format+"\n", args...) }

// deaf does not hand the waker on, so nobody hears when upstream has something.
type deaf struct{ pipeline.Source[int] }

func (s deaf) Poll(pipeline.Waker) (int, error) { return s.Source.Poll(nobody{}) }

type nobody struct{}

func (nobody) Wake() {}

func ExampleTestStage() {
	pipelinetest.TestStage(printer{}, pipelinetest.StageCase[int, int]{
		Stage: func(src pipeline.Source[int]) pipeline.Source[int] { return deaf{src} },
		In:    []int{1, 2, 3},
		Want:  []int{1, 2, 3},
		Seed:  1, // leave it out to have another each time
	})
	// Output:
	// law 4, no lost wakeup: the stream is pending, its waker was not woken, and nothing is left to happen (after 1 polls; read to its end, round 1, seed 1)
}

// A stage that takes time, or reads from several sources, is tested by TestSource, with what it needs made of the turn.
func ExampleTestSource() {
	pipelinetest.TestSource(printer{}, pipelinetest.SourceCase[int]{
		Make: func(turn *pipelinetest.Turn) pipeline.Source[int] {
			return pipeline.Concat[int](
				pipelinetest.Stream(turn, []int{1, 2}, nil),
				pipelinetest.Stream(turn, []int{3}, nil),
			)
		},
		Want: []int{1, 2, 3},
	})
	fmt.Println("Concat keeps the laws")
	// Output:
	// Concat keeps the laws
}
