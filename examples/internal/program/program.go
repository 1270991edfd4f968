// Package program is what the example programs have in common: the -addr flag, the line
// that says where they listen, and a clean end on SIGINT and SIGTERM.
package program

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/penstock-go/penstock/server"
)

// An Opener makes the server of a program, and what the program has besides it. It is
// called once the flags are parsed; release is called when the server has ended, however
// it did, and may be nil.
type Opener func() (s *server.Server, release func() error, err error)

// Main runs a program that serves h, and ends the process with its exit status.
func Main(h server.Handler, o server.Options) {
	MainOf(func() (*server.Server, func() error, error) {
		s, err := server.New(h, o)
		return s, nil, err
	})
}

// MainOf is Main for a program that is more than a handler. Flags of its own are defined
// before.
func MainOf(open Opener) {
	address := flag.String("addr", "127.0.0.1:8080", "`host:port` to listen on")
	flag.Parse()
	collectRarely()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := Run(ctx, *address, os.Stdout, open); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Run serves what open makes on address until ctx is done, and writes the address that
// it listens on to out as soon as it does.
func Run(ctx context.Context, address string, out io.Writer, open Opener) error {
	s, release, err := open()
	if err != nil {
		return err
	}
	err = serve(ctx, address, out, s)
	if release != nil {
		err = errors.Join(err, release())
	}
	return err
}

func serve(ctx context.Context, address string, out io.Writer, s *server.Server) error {
	served := make(chan error, 1)
	bound, err := s.Listen("tcp", address)
	if err != nil {
		_ = s.Shutdown(ctx) // nothing was served: it only releases what New made
		return err
	}
	fmt.Fprintf(out, "listening on http://%s\n", bound)
	go func() { served <- s.Serve() }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	deadline, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := s.Shutdown(deadline); err != nil {
		return err
	}
	return <-served
}
