package server_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// The work writes an answer, and the client gets it, whole and in order.
func TestGoStreamSendsWhatIsWritten(t *testing.T) {
	t.Parallel()
	s := besiege(t, server.Options{}, func(r *server.Request) server.Response {
		lines := len(r.Query("lines"))
		return server.GoStream(r, 201, "text/plain", func(_ context.Context, _ io.Reader, w *pipeline.Writer) error {
			for n := range lines {
				if _, err := fmt.Fprintf(w, "line %d\n", n); err != nil {
					return err
				}
			}
			return nil
		})
	})
	p := s.dial(t)
	for query, want := range map[string]string{"": "", "x": "line 0\n", "xxx": "line 0\nline 1\nline 2\n"} {
		p.send(get("/?lines=" + query))
		a := p.wantAnswer("what the work has written is sent", 201)
		if a.body != want || a.fields.Get("Content-Type") != "text/plain" {
			t.Errorf("the answer is %q with %v, %q was expected", a.body, a.fields, want)
		}
	}
}

// What is flushed reaches the client while the work goes on.
func TestGoStreamSendsWhatIsFlushed(t *testing.T) {
	t.Parallel()
	proceed := make(chan struct{})
	s := besiege(t, server.Options{}, func(r *server.Request) server.Response {
		return server.GoStream(r, 200, "", func(_ context.Context, _ io.Reader, w *pipeline.Writer) error {
			for _, text := range []string{"first", "second"} {
				if _, err := io.WriteString(w, text); err != nil {
					return err
				}
				if err := w.Flush(); err != nil {
					return err
				}
				<-proceed
			}
			return nil
		})
	})
	p := s.dial(t).tap()
	p.send(get("/"))
	line := ""
	for line != "first\r\n" {
		var err error
		if line, err = p.reader.ReadString('\n'); err != nil {
			t.Fatalf("what was flushed comes while the work goes on, not the error %v after %q", err, p.read.String())
		}
	}
	close(proceed)
	if line, _ = p.reader.ReadString('\n'); line != "6\r\n" {
		t.Errorf("then comes the second chunk, of 6 bytes, not %q", line)
	}
}

// An error before anything has left decides the status, and what was written is dropped. Later it cuts the body.
func TestGoStreamThatFails(t *testing.T) {
	t.Parallel()
	refusal := &server.Error{Code: 409, Message: "There is a conflict."}
	s := besiege(t, server.Options{}, func(r *server.Request) server.Response {
		flush := r.Path() == "/flushed"
		return server.GoStream(r, 200, "", func(_ context.Context, _ io.Reader, w *pipeline.Writer) error {
			if _, err := io.WriteString(w, "a beginning"); err != nil {
				return err
			}
			if flush && w.Flush() != nil {
				return errBroken
			}
			return refusal
		})
	})
	p := s.dial(t)
	p.send(get("/kept"))
	if a := p.wantAnswer("an error before anything has left is answered", 409); a.body != refusal.Message+"\n" {
		t.Errorf("the answer is %q, the sentence of the error was expected", a.body)
	}
	p.send(get("/flushed"))
	if a := p.wantCut("an error behind the head cuts the body", 200); a.body != "a beginning" {
		t.Errorf("what was flushed is sent, not %q", a.body)
	}
	s.wantLogged(t, "a cut is logged", refusal.Message)
}

// echo is work that sends back what it reads.
func echoing(r *server.Request) server.Response {
	return server.GoStream(r, 200, r.Type(), func(_ context.Context, body io.Reader, w *pipeline.Writer) error {
		_, err := io.Copy(w, body)
		return err
	})
}

// Work may read and write at the same time, any amount.
func TestGoStreamEchoes(t *testing.T) {
	t.Parallel()
	s := besiege(t, server.Options{}, echoing)
	data := bytes.Repeat([]byte("0123456789abcdef"), 32<<10) // 512 KiB
	p := s.dial(t)
	for range 2 {
		go p.send(post("/", "Content-Length: "+fmt.Sprint(len(data)), string(data)))
		if a := p.wantAnswer("the body comes back", 200); a.body != string(data) {
			t.Errorf("%d bytes came back, not those %d that were sent", len(a.body), len(data))
		}
	}
}

// Work that writes waits for its client, and ends when that has left.
func TestGoStreamWaitsForTheClient(t *testing.T) {
	t.Parallel()
	written, ended := make(chan int, 1), make(chan error, 1)
	s := besiege(t, server.Options{}, func(r *server.Request) server.Response {
		return server.GoStream(r, 200, "", func(ctx context.Context, _ io.Reader, w *pipeline.Writer) error {
			sum, chunk := 0, make([]byte, 64<<10)
			for {
				n, err := w.Write(chunk)
				sum += n
				if err != nil {
					<-ctx.Done()
					written <- sum
					ended <- err
					return err
				}
			}
		})
	})
	p := s.dialNarrow(t)
	p.send(get("/"))
	if _, err := io.ReadFull(p.reader, make([]byte, 100<<10)); err != nil {
		t.Fatalf("the answer comes while it is written: %v", err)
	}
	s.wantBystanderServed(t, "while work waits for its client")
	p.reset()
	sum, err := <-written, <-ended
	if !errors.Is(err, pipeline.ErrClosed) {
		t.Errorf("Write returned %v when the client has left, ErrClosed was expected", err)
	}
	if limit := 64 << 20; sum > limit {
		t.Errorf("the work has written %d bytes to a client that has read 100 KiB", sum)
	}
}

// A client that leaves before there is an answer ends what the work reads and writes.
func TestGoStreamWhoseClientLeavesEarly(t *testing.T) {
	t.Parallel()
	started, ended := make(chan struct{}), make(chan error, 1)
	s := besiege(t, server.Options{}, func(r *server.Request) server.Response {
		return server.GoStream(r, 200, "", func(_ context.Context, body io.Reader, w *pipeline.Writer) error {
			close(started)
			_, err := io.Copy(w, body)
			for err == nil {
				_, err = w.Write(make([]byte, 1000))
			}
			ended <- err
			return err
		})
	})
	p := s.dial(t)
	p.send(post("/", "Content-Length: 10", "half"))
	<-started // work that has not begun when its client leaves never does
	p.reset()
	if err := <-ended; !errors.Is(err, server.ErrExchangeEnded) {
		t.Errorf("reading the body gave %v when the client had left, ErrExchangeEnded was expected", err)
	}
}
