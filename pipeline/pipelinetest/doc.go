// Package pipelinetest checks that sources and stages keep the laws of package pipeline, as testing/iotest checks
// readers. Run it on stages of your own:
//
//	pipelinetest.TestStage(t, pipelinetest.StageCase[int, int]{
//		Stage: double,
//		In:    []int{1, 2, 3},
//		Want:  []int{2, 4, 6},
//	})
//
// [TestStage] takes a stage and values, [TestBytes] a stage that reads bytes, which it cuts in every way, and
// [TestSource] anything else that can be polled, made from [Stream], [Script], [Watch], [Poison] and [Resource].
//
// # What is checked
//
// Each check runs the stream many times, every run on a [Turn]: a loop turned by hand, which makes every choice at
// random from a seed. A run varies where upstream is pending, whether it is woken at once, later, or without reason,
// what happens between two polls, and after which poll the stream is closed: before the first, after each value, while
// pending, after the end. The laws, by their numbers in package pipeline:
//
//  1. no upstream is polled but while the stream is polled;
//  2. the values and the end are the same in every run;
//  3. and so they are however bytes are cut (TestBytes);
//  4. a stream that is pending with nothing left to happen has lost a wakeup; only the waker of the latest Poll counts;
//     and when upstream aborts its waker, which may be one of the stage's own, the consumer is told (TestStage, TestBytes);
//  5. the end is returned again, three times;
//  6. when the stream is closed, everything upstream is closed, once; closing again does nothing; no wake follows;
//  7. chunks from upstream are overwritten at the next Poll or Close (TestBytes), chunks handed out stay as they are
//     until then;
//  8. the stage does the same between two stages that pass everything on (TestStage).
//
// Beside the laws it checks that the failure of upstream travels down unchanged.
//
// A failure names the law, the run and the seed. Repeat it with the field Seed of the case or with the environment
// variable PIPELINETEST_SEED. After the first run with a failure a check stops.
package pipelinetest
