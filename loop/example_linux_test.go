package loop_test

import (
	"fmt"
	"net"

	"golang.org/x/sys/unix"

	"github.com/penstock-go/penstock/loop"
)

// connection sends back what it reads. When the peer does not read, it stops reading.
type connection struct {
	socket loop.Socket
	unsent []byte
}

func accept(l *loop.Loop, fd int) {
	c := &connection{}
	if err := c.socket.Attach(l, fd, c); err != nil {
		_ = unix.Close(fd) // the loop has ended, and fd is still ours
	}
}

func (c *connection) SocketEvent(loop.Readiness) {
	var buffer [512]byte
	for {
		n, err := c.socket.Write(c.unsent)
		if c.unsent = c.unsent[n:]; len(c.unsent) > 0 && (err == nil || err == loop.ErrAgain) {
			return // called again when there is room
		}
		if n, err = c.socket.Read(buffer[:]); err == loop.ErrAgain {
			return // called again when there is more
		} else if err != nil {
			c.socket.Close() // io.EOF, or the connection is broken
			return
		}
		c.unsent = append(c.unsent[:0], buffer[:n]...)
	}
}

func Example() {
	group, err := loop.NewGroup(2, loop.Options{})
	if err != nil {
		panic(err)
	}
	listener, err := loop.Listen("tcp", "127.0.0.1:0", group.Loops(), accept)
	if err != nil {
		panic(err)
	}
	go client(listener.Addr(), group.Stop)
	if err := group.Run(); err != nil {
		panic(err)
	}
	// Output: hello
}

// client says hello, prints what comes back, and calls done.
func client(address net.Addr, done func()) {
	defer done()
	c, err := net.Dial("tcp", address.String())
	if err != nil {
		panic(err)
	}
	defer c.Close()
	answer := make([]byte, 5)
	fmt.Fprint(c, "hello")
	_, _ = c.Read(answer)
	fmt.Println(string(answer))
}
