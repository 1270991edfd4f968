package client

import "github.com/penstock-go/penstock/loop"

// transport is a connection as what is above it sees it: a loop.Socket, or what a test has put
// in its place. Its methods are those of loop.Socket.
type transport interface {
	Read(p []byte) (int, error)
	Writev(bufs [][]byte) (int, error)
	SpliceIn(p *loop.Pipe, limit int) (int, error)
	Readable() bool
	PeerClosed() bool
	CloseWrite() error
	Reset()
	Close()
}

var _ transport = (*loop.Socket)(nil)
