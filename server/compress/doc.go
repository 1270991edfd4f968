// Package compress codes and decodes contents with gzip and Zstandard (RFC 9110, section
// 8.4): the bodies of responses, of requests, and any stream of bytes.
//
//	handler = compress.Layer(compress.Options{})(handler)
//	handler = compress.RequestLayer(1 << 20)(handler)
//
// [Layer] codes what a handler answers, as the client accepts it; a stream leaves as it
// comes, so that an event stream stays live. [RequestLayer] decodes what a client sends, up
// to a limit. [Gzip], [Zstd], [Gunzip] and [Unzstd] are the stages that they are made of.
//
// Everything runs on the loop, in steps of at most 64 KiB of a stream or 512 KiB of a complete
// body, and starts no goroutine. Encoders and decoders come from pools that all loops share and
// that the garbage collector empties; a stream that is coded holds an encoder only within a step.
package compress
