package proxy

import (
	"bufio"
	"io"
	"net"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/penstock-go/penstock/client"
	"github.com/penstock-go/penstock/server"
	"github.com/penstock-go/penstock/server/servertest"
)

// chain is a client, a proxy and an upstream in one goroutine: the test plays the two ends, and the loop of
// the proxy turns only when one of them does something. Its sockets are Unix sockets, which are
// connected, and have what was written to them, at once.
type chain struct {
	*servertest.Server
	t        testing.TB
	listener *net.UnixListener
	address  string // of the upstream
	upstream *client.Upstream
	target   *countingTarget
	handler  server.Handler
	logs     *logs
	open     []*upstreamEnd
}

// countingTarget is a picker of one upstream that notes what it is told.
type countingTarget struct {
	upstream *client.Upstream
	picked   int
	answered []int
	done     []Outcome
}

func (c *countingTarget) Pick(*server.Request, []*client.Upstream) (Target, error) {
	c.picked++
	return c, nil
}

func (c *countingTarget) Upstream() *client.Upstream { return c.upstream }
func (c *countingTarget) Answered(status int)        { c.answered = append(c.answered, status) }
func (c *countingTarget) Done(o Outcome)             { c.done = append(c.done, o) }

// newChain makes a chain whose upstream listens.
func newChain(t testing.TB, o Options, co client.Options) *chain {
	t.Helper()
	path := filepath.Join(t.TempDir(), "upstream")
	c := &chain{t: t, logs: new(logs), address: "unix:" + path}
	c.upstream = upstreamAt(t, c.address, co)
	c.target = &countingTarget{upstream: c.upstream}
	o.Logger = c.logs.logger()
	c.handler = New(c.target, o)
	c.Server = servertest.New(t, func(r *server.Request) server.Response { return c.handler(r) }, server.Options{Logger: o.Logger, Name: "-"})
	c.listen(path)
	t.Cleanup(c.end)
	return c
}

func (c *chain) listen(path string) {
	c.t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		c.t.Fatalf("the upstream could not listen: %v", err)
	}
	c.listener = l
}

// stop has the upstream refuse connections, until listen is called with the path that it returns.
func (c *chain) stop() (path string) {
	path = c.listener.Addr().String()
	c.listener.Close()
	return path
}

// end closes what the upstream has open, and checks that each pick was told its end.
func (c *chain) end() {
	for _, e := range c.open {
		e.Close()
	}
	c.listener.Close()
	c.Settle()
	if c.t.Failed() {
		return
	}
	if c.picked() != len(c.target.done) {
		c.t.Errorf("each of %d picks should be told its end once, and %d were told: %v", c.picked(), len(c.target.done), c.target.done)
	}
}

func (c *chain) picked() int { return c.target.picked }

// client connects a client and has it send a request.
func (c *chain) client(request string) *servertest.Client {
	c.t.Helper()
	k := c.Server.Client()
	if request != "" {
		k.Send(request)
	}
	return k
}

// upstreamEnd is the upstream's end of a connection. After each of its methods the proxy has done what it can.
type upstreamEnd struct {
	*net.UnixConn
	chain *chain
	r     *bufio.Reader
	seen  []byte // by drain
	ended bool   // noticed by drain
}

// accept takes a connection that the proxy has made.
func (c *chain) accept() *upstreamEnd {
	c.t.Helper()
	if err := c.listener.SetDeadline(time.Now().Add(patienceOfTests)); err != nil {
		c.t.Fatal(err)
	}
	conn, err := c.listener.AcceptUnix()
	if err != nil {
		c.t.Fatalf("the proxy should have connected to the upstream: %v", err)
	}
	if err := conn.SetDeadline(time.Now().Add(patienceOfTests)); err != nil {
		c.t.Fatal(err)
	}
	e := &upstreamEnd{UnixConn: conn, chain: c, r: bufio.NewReader(conn)}
	c.open = append(c.open, e)
	c.Settle()
	return e
}

// head reads the head of a request.
func (e *upstreamEnd) head() string {
	e.chain.t.Helper()
	head, err := readHead(e.r)
	if err != nil {
		e.chain.t.Fatalf("the upstream should get the head of a request, and got %q: %v", head, err)
	}
	e.chain.Settle()
	return head
}

// read reads n bytes.
func (e *upstreamEnd) read(n int) string {
	e.chain.t.Helper()
	b := make([]byte, n)
	if got, err := io.ReadFull(e.r, b); err != nil {
		e.chain.t.Fatalf("the upstream should get %d bytes, and got %q: %v", n, b[:got], err)
	}
	e.chain.Settle()
	return string(b)
}

// send writes to the proxy.
func (e *upstreamEnd) send(text string) {
	e.chain.t.Helper()
	if _, err := io.WriteString(e, text); err != nil {
		e.chain.t.Fatalf("the upstream could not send %q: %v", text, err)
	}
	e.chain.Settle()
}

// close ends the connection.
func (e *upstreamEnd) close() {
	e.Close()
	e.chain.Settle()
}

// gone says whether the proxy has closed the connection, all that came before being thrown away.
func (e *upstreamEnd) gone() bool {
	e.chain.t.Helper()
	if err := e.SetReadDeadline(time.Now().Add(patienceOfTests)); err != nil {
		e.chain.t.Fatal(err)
	}
	_, err := io.Copy(io.Discard, e.r)
	timeout, ok := err.(net.Error)
	return !ok || !timeout.Timeout()
}

// rest returns what comes until the proxy closes the connection.
func (e *upstreamEnd) rest() string {
	b, _ := io.ReadAll(e.r) // a reset is an end too
	return string(b)
}

// drain takes what there is by now, and keeps it in seen.
func (e *upstreamEnd) drain() {
	e.chain.t.Helper()
	raw, err := e.SyscallConn()
	if err != nil {
		e.chain.t.Fatal(err)
	}
	piece := make([]byte, 64<<10)
	for more := true; more; e.chain.Settle() {
		err := raw.Read(func(fd uintptr) bool {
			n, err := readNow(fd, piece)
			e.seen = append(e.seen, piece[:n]...)
			e.ended = e.ended || n == 0 && err == nil || err == unix.ECONNRESET
			more = n > 0
			return true
		})
		if err != nil {
			return // closed by the test itself
		}
	}
}

// offer sends as much of text as is taken by now, and returns the rest.
func (e *upstreamEnd) offer(text string) (rest string) {
	e.chain.t.Helper()
	raw, err := e.SyscallConn()
	if err != nil {
		e.chain.t.Fatal(err)
	}
	_ = raw.Write(func(fd uintptr) bool { // it fails when the test itself has closed it
		n, err := writeNow(fd, []byte(text))
		if text = text[max(n, 0):]; err != nil && err != unix.EAGAIN {
			text = "" // the proxy has closed it
		}
		return true
	})
	e.chain.Settle()
	return text
}
