// Package service holds what the servers under measurement have in common, whatever library
// they are written with: their flags, and what they answer with. What it costs is paid by all.
package service

import (
	"encoding/json"
	"io"
	"time"
)

// What the endpoints answer with. The types that are not here are those of the requests.
const (
	Greeting = "Hello, World!" // GET /
	Done     = "done"          // GET /block

	TypeText   = "text/plain; charset=utf-8"
	TypeJSON   = "application/json"
	TypeBinary = "application/octet-stream" // GET /download
	TypeEvents = "text/event-stream"
)

// Bounds of request bodies, in bytes.
const (
	MaxEcho    = 1 << 20
	MaxUpload  = 1 << 30
	MaxMessage = 4 << 10 // of POST /publish
)

// The body of GET /download is BlockCount times the block of BlockLength bytes.
const (
	BlockLength    = 64 << 10
	BlockCount     = 1024
	DownloadLength = BlockLength * BlockCount

	// GET /report, which Penstock has for the clients of gateways, is 300 MB of the same.
	ReportBlocks = 4578
)

// Block returns a new block of a download: byte i of it is i modulo 251.
func Block() []byte {
	block := make([]byte, BlockLength)
	for i := range block {
		block[i] = byte(i % 251)
	}
	return block
}

type message struct {
	Message string `json:"message"`
}

// JSON answers GET /json: a struct that is encoded anew, by encoding/json, for each request.
// It is the same for all servers, whatever JSON library theirs comes with.
func JSON() []byte {
	text, err := json.Marshal(message{Greeting})
	if err != nil {
		panic(err) // a struct of one string can always be encoded
	}
	return text
}

// Wait blocks its goroutine, and not a processor, for a second: the blocking work of GET /block.
func Wait() { <-time.After(time.Second) }

// NewDownload returns the body of GET /download, for libraries that are handed a reader.
func NewDownload(block []byte) io.Reader { return &download{block: block, blocks: BlockCount} }

type download struct {
	block  []byte
	sent   int // bytes of the current block
	blocks int // left, the current one included
}

func (d *download) Read(p []byte) (int, error) {
	if d.blocks == 0 {
		return 0, io.EOF
	}
	n := copy(p, d.block[d.sent:])
	if d.sent += n; d.sent == len(d.block) {
		d.sent, d.blocks = 0, d.blocks-1
	}
	return n, nil
}
