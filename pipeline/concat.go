package pipeline

import "slices"

// Concat returns the values of the first source, then those of the second, and so on. Each source is closed as soon as
// it has ended, and none is polled before its turn. The failure of one ends the whole stream with that error. Close
// closes the sources that are left.
func Concat[T any](sources ...Source[T]) Source[T] {
	return Flatten(FromSlice(slices.Clone(sources)))
}
