package main

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
)

// An exchange is what a scenario asks a server, and what the answer must be.
type exchange struct {
	method string // empty: GET
	path   string
	// elsewhere is the path at servers that are not Penstock; empty: the same.
	elsewhere string
	// body is what is posted, as application/octet-stream; the tools send the same bytes.
	body string
	// The answer's body is this block, so many times.
	block   []byte
	repeats int
	// contentType is the answer's; mediaTypeOnly says that parameters may stand behind it.
	contentType   string
	mediaTypeOnly bool
	// moreFields says that the answer may have fields that other servers do not send: those
	// of a file or of a gateway.
	moreFields bool
	// takesLong says that the answer comes after a second: many at once would take too long to
	// check.
	takesLong bool
}

const (
	greeting  = "Hello, World!"
	plainText = "text/plain; charset=utf-8"
	// The value that the path of the routing scenario ends with.
	lastPathValue = "6dcb09b5b57875f334f61aebed695e2e4193db5e"
	echoedBytes   = 1 << 10
	// A download is a block of bytes i%251, so many times.
	downloadBlock  = 64 << 10
	downloadBlocks = 1 << 10
	downloadBytes  = downloadBlock * downloadBlocks
)

var (
	askGreeting = exchange{path: "/", contentType: plainText, block: []byte(greeting), repeats: 1}
	// askForwarded is the greeting from behind a gateway.
	askForwarded = exchange{path: "/", contentType: plainText, block: []byte(greeting), repeats: 1, moreFields: true}
	askJSON      = exchange{path: "/json", contentType: "application/json", mediaTypeOnly: true,
		block: []byte(`{"message":"Hello, World!"}`), repeats: 1}
	askEcho     = echoExchange("/echo")
	askStages   = echoExchange("/echo-stages")
	askScript   = echoExchange("/echo-script")
	askAdapter  = exchange{path: "/adapter", elsewhere: "/", contentType: plainText, block: []byte(greeting), repeats: 1}
	askBlocking = exchange{path: "/block", contentType: "text/plain", mediaTypeOnly: true, block: []byte("done"), repeats: 1, takesLong: true}
	askRouted   = exchange{path: "/repos/penstock-go/penstock/git/commits/" + lastPathValue,
		contentType: "text/plain", mediaTypeOnly: true, block: []byte(lastPathValue), repeats: 1}
	askDownload = exchange{path: "/download", moreFields: true, block: downloadPattern(), repeats: downloadBlocks}
)

// echoExchange posts 1 KiB to the path and expects it back.
func echoExchange(path string) exchange {
	// load.lua makes the same bytes.
	body := strings.Repeat("0123456789abcdef", echoedBytes/16)
	return exchange{method: http.MethodPost, path: path, body: body,
		contentType: "application/octet-stream", block: []byte(body), repeats: 1}
}

func downloadPattern() []byte {
	block := make([]byte, downloadBlock)
	for i := range block {
		block[i] = byte(i % 251)
	}
	return block
}

// of returns the exchange as the kind of server has it.
func (e exchange) of(k serverKind) exchange {
	if e.elsewhere != "" && k.name != penstockName {
		e.path = e.elsewhere
	}
	return e
}

func (e exchange) requestMethod() string {
	if e.method == "" {
		return http.MethodGet
	}
	return e.method
}

// request returns the bytes of a request with no fields but those that it needs.
func (e exchange) request() []byte {
	var request bytes.Buffer
	fmt.Fprintf(&request, "%s %s HTTP/1.1\r\nHost: localhost\r\n", e.requestMethod(), e.path)
	if e.body != "" {
		fmt.Fprintf(&request, "Content-Type: application/octet-stream\r\nContent-Length: %d\r\n", len(e.body))
	}
	request.WriteString("\r\n" + e.body)
	return request.Bytes()
}

func (e exchange) answerLength() int64 { return int64(len(e.block)) * int64(e.repeats) }

// of returns the load as the kind of server gets it.
func (l load) of(k serverKind) load {
	l.asks = l.asks.of(k)
	return l
}
