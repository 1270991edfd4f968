package pipeline_test

import (
	"fmt"
	"io"

	"github.com/penstock-go/penstock/pipeline"
)

// task is what waits for a stream: on a loop, its Wake has the loop run it again.
type task struct{ woken bool }

func (t *task) Wake() { t.woken = true }

func Example() {
	w := new(task)
	body := pipeline.FromSlice([][]byte{[]byte("a line\nand ano"), []byte("ther\n")})

	lines := pipeline.Lines(body, 1<<10)
	short := pipeline.Filter(lines, func(line []byte) bool { return len(line) < 80 })
	sizes := pipeline.Map(short, func(line []byte) (int, error) { return len(line), nil })
	defer sizes.Close()
	for {
		size, err := sizes.Poll(w)
		if err == pipeline.ErrPending {
			return // w.Wake is called when there is something to poll for
		}
		if err == io.EOF {
			break
		}
		fmt.Println(size)
	}
	// Output:
	// 6
	// 11
}

// show prints the values of src, which is never pending for long, and its end.
func show[T any](src pipeline.Source[T]) { showAs(src, "%v\n") }

func showBytes(src pipeline.Source[[]byte]) { showAs(src, "%q\n") }

func showAs[T any](src pipeline.Source[T], format string) {
	defer src.Close()
	w := new(task)
	for {
		v, err := src.Poll(w)
		switch {
		case err == nil:
			fmt.Printf(format, v)
		case err != pipeline.ErrPending || !w.woken:
			fmt.Println(err)
			return
		}
		w.woken = false
	}
}
