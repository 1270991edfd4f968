package client

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/pipeline"
)

// A socketWorld is loops that run, and a client.
type socketWorld struct {
	t       *testing.T
	client  *Client
	group   *loop.Group
	ended   chan error
	server  *httptest.Server // nil without answering
	sockets int              // that the process had before

	open, most, balance atomic.Int64 // of the hooks
}

func newSocketWorld(t *testing.T, loops int, o Options) *socketWorld {
	t.Helper()
	w := &socketWorld{t: t, ended: make(chan error, 1), sockets: openSockets(t)}
	o.Hooks = Hooks{
		Opened: func(ConnectionInfo) {
			for n, most := w.open.Add(1), w.most.Load(); n > most && !w.most.CompareAndSwap(most, n); most = w.most.Load() {
			}
		},
		Acquired: func(ConnectionInfo) { w.balance.Add(1) },
		Released: func(ConnectionInfo) { w.balance.Add(-1) },
		Closed:   func(ConnectionInfo, CloseReason) { w.open.Add(-1) },
	}
	var err error
	if w.group, err = loop.NewGroup(loops, loop.Options{}); err != nil {
		t.Fatal(err)
	}
	w.client, _ = New(o)
	go func() { w.ended <- w.group.Run() }()
	return w
}

// end closes the client and the loops, and checks that nothing is left.
func (w *socketWorld) end() {
	w.t.Helper()
	w.client.Close()
	for _, l := range w.group.Loops() {
		turned := make(chan struct{})
		_ = l.Post(func() { close(turned) })
		<-turned
	}
	if open, balance := w.open.Load(), w.balance.Load(); open != 0 || balance != 0 {
		w.t.Errorf("in the end %d connections were open, and %d acquired and not released", open, balance)
	}
	w.group.Stop()
	if err := <-w.ended; err != nil {
		w.t.Errorf("the loops ended with %v", err)
	}
	if w.server != nil {
		w.server.Close()
	}
	if n := openSockets(w.t); n > w.sockets {
		w.t.Errorf("in the end the process has %d sockets, and had %d before", n, w.sockets)
	}
}

// openSockets counts the sockets that the process has.
func openSockets(t *testing.T) int {
	t.Helper()
	names, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, name := range names {
		if to, err := os.Readlink("/proc/self/fd/" + name.Name()); err == nil && strings.HasPrefix(to, "socket:") {
			n++
		}
	}
	return n
}

// A socketCaller sends requests from a loop, one after the other.
type socketCaller struct {
	loop     *loop.Loop
	upstream *Upstream
	task     loop.Task
	left     int
	source   pipeline.Source[*Response]
	response *Response
	failed   error
	done     func(error)
}

// call has n requests sent from each of some callers on each loop, and waits until all have ended. It
// returns the errors of those that failed.
func (w *socketWorld) call(u *Upstream, callers, n int) []error {
	var (
		wait   sync.WaitGroup
		mu     sync.Mutex
		errors []error
	)
	for _, l := range w.group.Loops() {
		for range callers {
			wait.Add(1)
			c := &socketCaller{loop: l, upstream: u, left: n, done: func(err error) {
				if err != nil {
					mu.Lock()
					errors = append(errors, err)
					mu.Unlock()
				}
				wait.Done()
			}}
			c.task.Init(c)
			if l.Post(c.Run) != nil {
				wait.Done()
			}
		}
	}
	wait.Wait()
	return errors
}

func (c *socketCaller) Wake() { c.loop.Schedule(&c.task) }

func (c *socketCaller) Run() {
	for c.left > 0 && c.failed == nil {
		if c.source == nil {
			c.source = c.upstream.Do(c.loop, &Request{Target: "/"})
		}
		err := c.poll()
		if err == pipeline.ErrPending {
			return
		}
		if err != io.EOF {
			c.failed = err
		}
		if c.response != nil {
			c.response.Close()
		}
		c.source.Close()
		c.source, c.response = nil, nil
		c.left--
	}
	if c.done != nil {
		c.done(c.failed)
		c.done = nil
	}
}

func (c *socketCaller) poll() (err error) {
	if c.response == nil {
		if c.response, err = c.source.Poll(c); err != nil {
			return err
		}
	}
	for err == nil {
		_, err = c.response.Body.Poll(c)
	}
	return err
}

// answering starts a server that answers, and now and then closes the connection behind that.
func (w *socketWorld) answering() (url string) {
	var n atomic.Int64
	w.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if n.Add(1)%50 == 0 {
			w.Header().Set("Connection", "close")
		}
		fmt.Fprint(w, "hello")
	}))
	return w.server.URL
}

// TestLoopsShareTheLimit: more callers on each loop than there may be connections on all, with
// every limit, and none of them starves.
func TestLoopsShareTheLimit(t *testing.T) {
	for _, limit := range []int{1, 2, 5} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			w := newSocketWorld(t, 3, Options{MaxConnections: limit, Timeouts: Timeouts{Acquire: -1}})
			u, err := w.client.Upstream(w.answering())
			if err != nil {
				t.Fatal(err)
			}
			for _, err := range w.call(u, 6, 12) {
				t.Errorf("a request failed: %v", err)
			}
			if most := w.most.Load(); most > int64(limit) {
				t.Errorf("there were %d connections at a time; there may be %d", most, limit)
			}
			if s := u.Stats(); s.Waiting != 0 || s.InUse() != 0 || s.Connections+s.Connecting > limit || s.Opened+s.Reused < 216 {
				t.Errorf("when all have ended the counts are %+v", s)
			}
			w.end()
		})
	}
}

// TestCloseUnderLoad: every request ends, well or with ErrClientClosed.
func TestCloseUnderLoad(t *testing.T) {
	w := newSocketWorld(t, 3, Options{MaxConnections: 4})
	u, err := w.client.Upstream(w.answering())
	if err != nil {
		t.Fatal(err)
	}
	closed := make(chan struct{})
	go func() {
		for u.Stats().Reused < 100 {
			runtime.Gosched()
		}
		w.client.Close()
		close(closed)
	}()
	failures := w.call(u, 8, 100_000)
	<-closed
	if len(failures) != 3*8 {
		t.Errorf("%d of 24 callers were told that the client was closed; all should be", len(failures))
	}
	for _, err := range failures {
		if !errors.Is(err, ErrClientClosed) {
			t.Errorf("a request failed with %v; it should be with %v", err, ErrClientClosed)
		}
	}
	w.end()
}

// TestLoopEndsWithTheOnlySlot: the others get it.
func TestLoopEndsWithTheOnlySlot(t *testing.T) {
	w := newSocketWorld(t, 2, Options{MaxConnections: 1, Timeouts: Timeouts{Acquire: -1}})
	u, err := w.client.Upstream(w.answering())
	if err != nil {
		t.Fatal(err)
	}
	ends, err := loop.New(loop.Options{})
	if err != nil {
		t.Fatal(err)
	}
	over, answered := make(chan error), make(chan error, 1)
	go func() { over <- ends.Run() }()
	c := &socketCaller{loop: ends, upstream: u, left: 1, done: func(err error) { answered <- err }}
	c.task.Init(c)
	_ = ends.Post(c.Run)
	if err := <-answered; err != nil {
		t.Errorf("the request of the loop that is to end failed: %v", err)
	}
	ends.Stop()
	if err := <-over; err != nil {
		t.Fatal(err)
	}
	for _, err := range w.call(u, 4, 10) {
		t.Errorf("a request of another loop failed: %v", err)
	}
	w.open.Add(-1) // that of the loop that has ended
	w.end()
}

func TestNameOverSockets(t *testing.T) {
	w := newSocketWorld(t, 2, Options{})
	u, err := w.client.Upstream(strings.Replace(w.answering(), "127.0.0.1", "localhost", 1))
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range w.call(u, 3, 10) {
		t.Errorf("a request failed: %v", err)
	}
	w.end()
}

// TestUnixSocket that is there, and one that is not.
func TestUnixSocket(t *testing.T) {
	w := newSocketWorld(t, 2, Options{MaxConnections: 2})
	path := filepath.Join(t.TempDir(), "socket")
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	w.server = &httptest.Server{Listener: ln, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") })}}
	w.server.Start()
	u, err := w.client.Upstream("unix:" + path)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range w.call(u, 4, 10) {
		t.Errorf("a request failed: %v", err)
	}
	nowhere, _ := w.client.Upstream("unix:" + path + "-nowhere")
	failures := w.call(nowhere, 100, 1)
	if len(failures) != 200 {
		t.Errorf("%d of 200 requests to a socket that is not there have failed", len(failures))
	}
	for _, err := range failures {
		if !errors.Is(err, ErrConnect) || !errors.Is(err, unix.ENOENT) || !NothingSent(err) {
			t.Errorf("a request to a socket that is not there failed with %v", err)
		}
	}
	w.end()
}

func TestRefusedPort(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := ln.Addr().String()
	_ = ln.Close()
	w := newSocketWorld(t, 2, Options{MaxConnections: 3})
	u, err := w.client.Upstream("http://" + address)
	if err != nil {
		t.Fatal(err)
	}
	failures := w.call(u, 50, 1)
	if len(failures) != 100 {
		t.Errorf("%d of 100 requests to a port where nobody listens have failed", len(failures))
	}
	for _, err := range failures {
		if !errors.Is(err, ErrConnect) || !errors.Is(err, unix.ECONNREFUSED) {
			t.Errorf("a request to a port where nobody listens failed with %v", err)
		}
	}
	w.end()
}
