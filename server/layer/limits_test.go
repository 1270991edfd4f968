package layer

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// count answers when it has read the whole body.
func count(r *server.Request) server.Response {
	return server.Later(pipeline.Map(pipeline.Collect(r.Body, 1<<20), func([]byte) (server.Response, error) {
		return server.Empty(204), nil
	}))
}

const post = "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nhello"

func TestBodyLimitHoldsForTheRequest(t *testing.T) {
	for limit, status := range map[int64]int{4: 413, 5: 204, -1: 204} {
		if response, _ := ask(t, BodyLimit(limit)(count), post); response.StatusCode != status {
			t.Errorf("with a limit of %d a body of 5 bytes should be answered with %d, and was with %d", limit, status, response.StatusCode)
		}
	}
}

// The server's own timeouts are as long as the test may take at most, so what happens here is due to the layers.

func TestBodyTimeoutHoldsForTheRequest(t *testing.T) {
	if response, _ := ask(t, BodyTimeout(time.Millisecond)(count), post[:len(post)-1]); response.StatusCode != 408 {
		t.Errorf("a body that does not go on should be answered with 408, and was with %d", response.StatusCode)
	}
}

func TestWriteTimeoutHoldsForTheAnswer(t *testing.T) {
	sent := make(chan int64, 1)
	huge := make([]byte, 64<<20)
	address, _ := serve(t, "tcp", "127.0.0.1:0", WriteTimeout(time.Millisecond)(func(r *server.Request) server.Response {
		r.OnFinish(func(_ int, bytes int64) { sent <- bytes })
		return server.Stream(200, "", pipeline.FromIter(func(yield func([]byte, error) bool) {
			for rest := huge; len(rest) > 0 && yield(rest[:1<<16], nil); rest = rest[1<<16:] {
			}
		}))
	}))
	c, err := net.DialTimeout("tcp", address, safety)
	if err != nil {
		t.Fatalf("the server could not be reached: %v", err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, request("GET")); err != nil {
		t.Fatalf("the request could not be sent: %v", err)
	}
	select {
	case n := <-sent:
		if n == int64(len(huge)) {
			t.Error("an answer that nobody reads should be cut, and was sent whole")
		}
	case <-time.After(safety):
		t.Error("an answer that nobody reads should be cut, and is still being sent")
	}
}
