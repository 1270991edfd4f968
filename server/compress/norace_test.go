//go:build !race

package compress

// lawsInput is how many bytes the laws of the encoders are checked with.
const lawsInput = 60
