package pipeline_test

import (
	"io"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
)

// numbers is the source that counts to its limit and allocates nothing.
type numbers struct{ next, limit int }

func (s *numbers) Poll(pipeline.Waker) (int, error) {
	if s.next == s.limit {
		return 0, io.EOF
	}
	s.next++
	return s.next, nil
}

func (s *numbers) Close() { s.next = 0 }

// exhaust polls src to its end, and returns how many values came.
func exhaust(b *testing.B, src pipeline.Source[int], w *task) int {
	for n := 0; ; n++ {
		_, err := src.Poll(w)
		if err == io.EOF {
			return n
		}
		if err == pipeline.ErrPending {
			n--
			if !w.woken {
				b.Fatal("the stream is pending, but nothing will wake it")
			}
		}
	}
}

// pair is the source of two numbers, made again and again of the same memory.
type pair struct{ numbers }

// BenchmarkMapFilterFlatten is the cost of one item through a map, a filter that keeps half, and a flatten of pairs: so
// one item out for each item in.
func BenchmarkMapFilterFlatten(b *testing.B) {
	b.ReportAllocs()
	inner := new(pair)
	mapped := pipeline.Map(&numbers{limit: b.N}, double)
	kept := pipeline.Filter(mapped, func(v int) bool { return v%4 == 0 })
	src := pipeline.Flatten(pipeline.Map(kept, func(int) (pipeline.Source[int], error) {
		inner.next, inner.limit = 0, 2
		return inner, nil
	}))
	if n := exhaust(b, src, new(task)); n != b.N&^1 {
		b.Fatalf("%d values came of %d, one for each was expected", n, b.N)
	}
}

func BenchmarkMap(b *testing.B) {
	b.ReportAllocs()
	exhaust(b, pipeline.Map(&numbers{limit: b.N}, double), new(task))
}

func BenchmarkMerge(b *testing.B) {
	b.ReportAllocs()
	src := pipeline.Merge[int](&numbers{limit: b.N / 2}, &numbers{limit: b.N / 2})
	exhaust(b, src, new(task))
}

func BenchmarkLines(b *testing.B) {
	b.ReportAllocs()
	chunk := []byte("a line of some forty bytes, as they come\na line of some forty bytes, as they come\n")
	chunks := pipeline.Map(&numbers{limit: b.N / 2}, func(int) ([]byte, error) { return chunk, nil })
	lengths := pipeline.Map(pipeline.Lines(chunks, 80), func(line []byte) (int, error) { return len(line), nil })
	exhaust(b, lengths, new(task))
}

// BenchmarkQueue is the cost of one value pushed and polled, with nobody waiting.
func BenchmarkQueue(b *testing.B) {
	b.ReportAllocs()
	w := new(task)
	q := pipeline.NewQueue[int](make(posts, 1), 64, pipeline.Refuse)
	for n := range b.N {
		if err := q.Push(n); err != nil {
			b.Fatal(err)
		}
		if v, err := q.Poll(w); v != n || err != nil {
			b.Fatalf("Poll returned %d and %v, %d was expected", v, err, n)
		}
	}
}

// BenchmarkQueueWoken is the same where the consumer waits each time and is woken by a post.
func BenchmarkQueueWoken(b *testing.B) {
	b.ReportAllocs()
	w := new(task)
	loop := make(posts, 1)
	q := pipeline.NewQueue[int](loop, 64, pipeline.Refuse)
	for n := range b.N {
		_, _ = q.Poll(w)
		if err := q.Push(n); err != nil {
			b.Fatal(err)
		}
		(<-loop)()
		if v, err := q.Poll(w); v != n || err != nil {
			b.Fatalf("Poll returned %d and %v, %d was expected", v, err, n)
		}
	}
}
