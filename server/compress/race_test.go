//go:build race

package compress

// lawsInput is how many bytes the laws of the encoders are checked with. The race detector has
// sync.Pool lose things, so that each of a great many pieces may cost an encoder.
const lawsInput = 20
