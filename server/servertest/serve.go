package servertest

import (
	"context"
	"testing"

	"github.com/penstock-go/penstock/server"
)

// Serve serves h on a free port of the loopback interface until the test ends, and returns
// the address, such as "127.0.0.1:4321". It is for clients that need a network, as those of
// other libraries do; everything here that is promised of a [Server] is not of this one: it runs on
// goroutines and by the clock of the machine.
//
// When the test ends, connections that are still open are cut; it is an error of the test if
// the server has failed. Serve is called on the test's goroutine.
func Serve(t testing.TB, h server.Handler, options server.Options) (address string) {
	t.Helper()
	s, err := server.New(h, options)
	if err != nil {
		t.Fatalf("the server could not be made: %v", err)
	}
	bound, err := s.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("the server could not listen: %v", err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve() }()
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // what is still open is cut
		_ = s.Shutdown(ctx)
		if err := <-served; err != nil {
			t.Errorf("Serve should return nil after Shutdown, and returned %v", err)
		}
	})
	return bound.String()
}
