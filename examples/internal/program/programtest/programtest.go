// Package programtest runs an example program as its main function does, on a free port,
// and sends it requests.
package programtest

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/penstock-go/penstock/examples/internal/program"
	"github.com/penstock-go/penstock/server"
)

// Start runs a program that serves h until the test ends, and then checks that it ends
// cleanly. It returns the URL that the program has printed.
func Start(t *testing.T, h server.Handler, o server.Options) string {
	t.Helper()
	base, _ := StartOf(t, func() (*server.Server, func() error, error) {
		s, err := server.New(h, o)
		return s, nil, err
	})
	return base
}

// StartOf is Start for a program that is more than a handler. stop ends the program
// before the test ends, as a signal would, and returns when it has ended.
func StartOf(t *testing.T, open program.Opener) (base string, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := program.Run(ctx, "127.0.0.1:0", in, open)
		in.CloseWithError(err)
		ended <- err
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		http.DefaultClient.CloseIdleConnections()
		if err := <-ended; err != nil {
			t.Errorf("the program should end cleanly, and ended with %v", err)
		}
	})
	t.Cleanup(stop)
	line, err := bufio.NewReader(out).ReadString('\n')
	base, found := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if err != nil || !found {
		t.Fatalf("the program should print where it listens, and printed %q, error %v", line, err)
	}
	return base, stop
}

// Do sends a request and returns the answer and its body.
func Do(t *testing.T, method, url, body string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatalf("%s %s failed: %v", method, url, err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("the answer to %s %s could not be read: %v", method, url, err)
	}
	return resp, string(got)
}
