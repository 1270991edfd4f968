package codec

import (
	"bufio"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
	"github.com/penstock-go/penstock/server"
	"github.com/penstock-go/penstock/server/servertest"
)

// read returns the values that a source gives, and its end.
func read[T any](t *testing.T, make func(*pipelinetest.Turn) pipeline.Source[T]) ([]T, error) {
	t.Helper()
	turn := pipelinetest.NewTurn(t, 1)
	source := make(turn)
	values, err := pipelinetest.Drain(turn, source)
	pipelinetest.Close(turn, source)
	return values, err
}

// statusOf returns the status that an error is answered with: 200 for the end of a stream.
func statusOf(err error) int {
	var withStatus interface{ Status() int }
	switch {
	case err == io.EOF:
		return http.StatusOK
	case errors.As(err, &withStatus):
		return withStatus.Status()
	}
	return http.StatusInternalServerError
}

// textOf returns what a client is told of an error.
func textOf(err error) string {
	var public interface{ Public() string }
	if errors.As(err, &public) {
		return public.Public()
	}
	return err.Error()
}

// cut cuts in as the bytes of cuts say.
func cut(in, cuts []byte) [][]byte {
	var chunks [][]byte
	for _, n := range cuts {
		n := min(int(n), len(in))
		chunks = append(chunks, in[:n])
		in = in[n:]
	}
	return append(chunks, in)
}

// asker asks a server that serves h until the test ends.
type asker struct {
	t       *testing.T
	address string
}

// safety bounds a wait for something that must happen.
const safety = 20 * time.Second

func serve(t *testing.T, h server.Handler) asker {
	t.Helper()
	return asker{t, servertest.Serve(t, h, server.Options{Loops: 1, Logger: slog.New(slog.DiscardHandler)})}
}

// post sends body with these field lines, each ended with CRLF, and returns the status, the
// Content-Type and the content of the answer.
func (a asker) post(fields, body string) (status int, contentType, content string) {
	a.t.Helper()
	if !strings.Contains(fields, "Content-Length:") {
		fields += "Content-Length: " + strconv.Itoa(len(body)) + "\r\n"
	}
	resp, content := a.send(fields + "\r\n" + body)
	return resp.StatusCode, resp.Header.Get("Content-Type"), content
}

// postChunked is post for a body in chunks.
func (a asker) postChunked(fields string, chunks ...string) (status int, content string) {
	a.t.Helper()
	message := fields + "Transfer-Encoding: chunked\r\n\r\n"
	for _, chunk := range append(chunks, "") {
		message += strconv.FormatInt(int64(len(chunk)), 16) + "\r\n" + chunk + "\r\n"
	}
	resp, content := a.send(message)
	return resp.StatusCode, content
}

// send sends a POST with these fields and this body, and reads the answer.
func (a asker) send(rest string) (*http.Response, string) {
	a.t.Helper()
	c, err := net.DialTimeout("tcp", a.address, safety)
	if err != nil {
		a.t.Fatalf("the server could not be reached: %v", err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(safety)); err != nil {
		a.t.Fatal(err)
	}
	if _, err := io.WriteString(c, "POST / HTTP/1.1\r\nHost: test\r\n"+rest); err != nil {
		a.t.Fatalf("the request could not be sent: %v", err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		a.t.Fatalf("the answer could not be read: %v", err)
	}
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		a.t.Fatalf("the content of the answer could not be read: %v", err)
	}
	return resp, string(content)
}
