// Package pipeline is streams that are read on demand, and the stages that join them.
//
// A [Source] gives one value for each Poll, a [Stage] makes one source of another, and nothing moves unless the
// right-hand end asks for it:
//
//	lines := pipeline.Lines(body, 1<<10)
//	short := pipeline.Filter(lines, func(line []byte) bool { return len(line) < 80 })
//	sizes := pipeline.Map(short, func(line []byte) (int, error) { return len(line), nil })
//	defer sizes.Close()
//	for {
//		size, err := sizes.Poll(w)
//		if err == pipeline.ErrPending {
//			return // w.Wake is called when there is something to poll for
//		}
//		if err == io.EOF {
//			break
//		}
//		...
//	}
//
// The example of the package is this program whole.
//
// # The laws
//
// Every source and every stage keeps these. Package pipelinetest checks them; run it on stages of your own.
//
//  1. Demand: a stage polls upstream only while it is being polled itself: not when it is made, woken or closed.
//  2. Schedule invariance: where upstream says ErrPending makes no difference to the values that come out.
//  3. Split invariance, for streams of bytes: how the bytes are cut into chunks makes no difference.
//  4. No lost wakeup: a stage that returns ErrPending has passed w upstream, or kept it and will wake it. The waker
//     that counts is the one of the latest Poll. Wakes without a reason are allowed. A stage that polls upstream with a
//     waker of its own passes on what that is told: Wake, and Abort, see [Aborter].
//  5. The end is sticky: after io.EOF or another error every Poll returns the same again.
//  6. Release exactly once, at every point where a stream can be cut. Close is idempotent, goes upstream, and no wake
//     follows it. The end of a stream does not release it: whoever polls a source also closes it.
//  7. A chunk of bytes is valid until the next Poll or Close of the source it came from. Who needs it longer copies it.
//  8. Join is associative, and Map(f) then Map(g) is Map(g∘f).
//
// # Producers
//
// Where the values come from, in one line each; every one is a source, and learns when it is closed:
//
//	q := NewQueue[T](loop, 64, DropOldest)                // q.Push on any goroutine, until q.Done
//	src := FromChannel(loop, values, cancel)              // what is received from a channel; Close calls cancel
//	f := NewFuture[T](loop)                               // f.Resolve or f.Reject on any goroutine, once
//	src := Offload(loop, pool, work)                      // one value, of a function that blocks
//	src := OffloadIter(loop, pool, 16, rows)              // the values of an iterator that blocks, 16 ahead
//	src := FromIter(seq)                                  // the values of an iterator that does not block
//	src := topic.Subscribe(loop, Newest)                  // what is published to many, by topic.Publish
//	src := r.After(time.Second), r.Every(time.Second)     // time, of a request in package server
//
// topic is NewTopic(TopicOptions[T]{}), loop is a [Poster], and pool an [Executor]. FromSlice, Once, Fail and Empty
// give what is there already.
//
// # Ownership
//
// A stage owns the sources it was made of: nobody else polls or closes them. A value belongs to its stream until a
// Poll has returned it. What the producers still hold when they are closed (FromSlice, Once, Queue, Future, FromChannel,
// OffloadIter, a late result of Offload) they release: a value with a method Close() or Close() error is closed, any
// other is left to the garbage collector. The values of a Topic are the exception: they are shared by its subscribers,
// so nobody releases them.
//
// # Errors
//
// The error that a source ends with travels down unchanged. ErrPending is not an end and never wrapped; a function
// given to a stage must not return it, and a stream whose function does so ends with an error that says it.
//
// # Goroutines
//
// Poll, Close and Wake are called on one goroutine, that of the loop. Wake only makes a note that polling may help;
// it never polls, so it may be called during a Poll. The doors for other goroutines are the producers that take a
// Poster: [Queue], [FromChannel], [Future], [Offload], [OffloadIter] and [Topic]; and for work on a worker [CopyTo], a
// [Reader] of a source and a [Writer] that is one.
//
// [Coroutine] and [Generate] run a function on the loop that waits for sources with [Await], from top to bottom.
//
// A stage that drops or joins many values does not hold the loop: after a bounded number of them within one Poll it
// wakes w and returns ErrPending. If a Poll panics (because a function given to a stage did), the source is fit
// only to be closed.
package pipeline
