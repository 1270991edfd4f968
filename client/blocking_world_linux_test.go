package client

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/loop"
)

// patience is how long a test waits for what should come soon.
const patienceOfTests = 20 * time.Second

// blockingWorld is a client for DoContext, with loops to run on or without.
type blockingWorld struct {
	*Client
	t           *testing.T
	group       *loop.Group // nil: the client's own loop
	ended       chan error  // by group
	goroutines  int         // that there were before
	descriptors int
	ends        []func()
}

func newBlockingWorld(t *testing.T, loops int, o Options) *blockingWorld {
	t.Helper()
	w := &blockingWorld{t: t, goroutines: runtime.NumGoroutine(), descriptors: countDescriptors(t)}
	if loops > 0 {
		var err error
		if w.group, err = loop.NewGroup(loops, loop.Options{}); err != nil {
			t.Fatal(err)
		}
		o.Loops, w.ended = w.group.Loops(), make(chan error, 1)
		go func() { w.ended <- w.group.Run() }()
	}
	w.Client, _ = New(o)
	t.Cleanup(w.end)
	return w
}

// serve runs a handler of net/http and returns its URL.
func (w *blockingWorld) serve(h http.HandlerFunc) string {
	s := httptest.NewServer(h)
	w.ends = append(w.ends, func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s.URL
}

// script runs a server that does to each connection what the test says, and closes it then.
func (w *blockingWorld) script(f func(c net.Conn, r *bufio.Reader)) (url string) {
	w.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				f(c, bufio.NewReader(c))
			}()
		}
	}()
	w.ends = append(w.ends, func() { l.Close() })
	return "http://" + l.Addr().String()
}

// end closes everything and holds that no goroutine and no descriptor is left.
func (w *blockingWorld) end() {
	w.t.Helper()
	w.Close()
	for _, end := range w.ends {
		end()
	}
	if w.group != nil {
		w.group.Stop()
		if err := <-w.ended; err != nil {
			w.t.Errorf("The loops ended with %v.", err)
		}
	}
	if !soon(func() bool { return runtime.NumGoroutine() <= w.goroutines }) {
		stacks := make([]byte, 1<<20)
		w.t.Errorf("In the end there are %d goroutines, and there were %d before:\n%s", runtime.NumGoroutine(), w.goroutines, stacks[:runtime.Stack(stacks, true)])
	}
	if !soon(func() bool { return countDescriptors(w.t) <= w.descriptors }) {
		w.t.Errorf("In the end the process has %d descriptors, and had %d before.", countDescriptors(w.t), w.descriptors)
	}
}

// soon waits for a condition, and says whether it has come true.
func soon(condition func() bool) bool {
	for deadline := time.Now().Add(patienceOfTests); !condition(); runtime.Gosched() {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

func countDescriptors(t *testing.T) int {
	t.Helper()
	names, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(names)
}

// ask sends a request that must have an answer, and returns that with its content.
func (w *blockingWorld) ask(r *BlockingRequest) (*BlockingResponse, string) {
	w.t.Helper()
	response, err := w.DoContext(context.Background(), r)
	if err != nil {
		w.t.Fatalf("%s %s fails with %v.", r.Method, r.URL, err)
	}
	content, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Errorf("The content of %s %s ends with %v behind %q.", r.Method, r.URL, err, content)
	}
	if err := response.Body.Close(); err != nil {
		w.t.Errorf("Closing the content of %s %s fails with %v.", r.Method, r.URL, err)
	}
	return response, string(content)
}

// echo answers with what it is sent, as it comes, with its trailer field behind it.
func echo(w http.ResponseWriter, r *http.Request) {
	controller := http.NewResponseController(w)
	if controller.EnableFullDuplex() != nil {
		panic("net/http has no full duplex")
	}
	w.Header().Set("Trailer", "Digest")
	buffer := make([]byte, 32<<10)
	for {
		n, err := r.Body.Read(buffer)
		_, _ = w.Write(buffer[:n])
		_ = controller.Flush()
		if err != nil {
			break
		}
	}
	w.Header().Set("Digest", r.Trailer.Get("Digest"))
}

// zeros is a body of some bytes.
func zeros(n int64) io.Reader { return onlyReader{io.LimitReader(endlessZeros{}, n)} }

type endlessZeros struct{}

func (endlessZeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// discardHead reads the head of a request.
func discardHead(r *bufio.Reader) {
	for {
		line, err := r.ReadString('\n')
		if err != nil || strings.TrimSpace(line) == "" {
			return
		}
	}
}
