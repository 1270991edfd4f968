package pipeline

// A Stage makes a source of another, which it then owns.
type Stage[In, Out any] func(Source[In]) Source[Out]

// Join is the stage that is first and then second. Join is associative.
func Join[A, B, C any](first Stage[A, B], second Stage[B, C]) Stage[A, C] {
	return func(src Source[A]) Source[C] { return second(first(src)) }
}
