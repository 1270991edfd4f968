module github.com/penstock-go/penstock/bench

go 1.25.0

require (
	github.com/valyala/fasthttp v1.65.0
	golang.org/x/sys v0.38.0
)

require (
	github.com/andybalholm/brotli v1.2.0 // indirect
	github.com/klauspost/compress v1.18.0 // indirect
	github.com/valyala/bytebufferpool v1.0.0 // indirect
)
