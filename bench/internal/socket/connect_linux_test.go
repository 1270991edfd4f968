package socket

import (
	"errors"
	"io"
	"net"
	"testing"

	"golang.org/x/sys/unix"
)

func TestConnectIsPreparedAndClosedByReset(t *testing.T) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("no listener: %v", err)
	}
	defer listener.Close()
	server, err := ParseServer(listener.Addr().String())
	if err != nil {
		t.Fatalf("the listener's address is not taken: %v", err)
	}
	prepared := -1
	fd, err := Connect(server, func(fd int) error { prepared = fd; return nil })
	if err != nil || prepared != fd {
		t.Fatalf("the descriptor is %d with error %v and %d was prepared, expected the same", fd, err, prepared)
	}
	connection, err := listener.Accept()
	if err != nil {
		t.Fatalf("the connection did not arrive: %v", err)
	}
	defer connection.Close()
	unix.Close(fd)
	if _, err := connection.Read(make([]byte, 1)); !errors.Is(err, unix.ECONNRESET) {
		t.Errorf("after closing, the server reads the error %v, expected a reset", err)
	}
}

func TestConnectThatCannotBePrepared(t *testing.T) {
	server, err := ParseServer("127.0.0.1:1")
	if err != nil {
		t.Fatalf("a plain address is not taken: %v", err)
	}
	if fd, err := Connect(server, func(int) error { return io.ErrNoProgress }); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("the descriptor is %d with error %v, expected the error of the preparation", fd, err)
	}
}

func TestParseServerTakesAddressesOnly(t *testing.T) {
	for _, address := range []string{"localhost:80", "127.0.0.1", "[::1]:80", ""} {
		if server, err := ParseServer(address); err == nil {
			t.Errorf("%q was taken as %v, expected an error", address, server)
		}
	}
}
