package loop_test

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/loop/looptest"
)

func TestDetachedSocketGoesOnWithoutTheLoop(t *testing.T) {
	l := looptest.New(t)
	fd, peer := looptest.Socketpair(t)
	events := 0
	var s loop.Socket
	if err := s.Attach(l.Loop, fd, counting{&events}); err != nil {
		t.Fatalf("the socket could not be attached: %v", err)
	}
	l.Settle()
	seen := events
	own, err := s.Detach()
	if err != nil {
		t.Fatalf("the socket could not be detached: %v", err)
	}
	looptest.CloseLater(t, own)
	l.Settle() // the loop's own descriptor is closed here
	looptest.Send(t, peer, "for the new owner")
	l.Settle()
	if events != seen || !s.Closed() || l.Held().Sockets != 0 {
		t.Errorf("the loop should have forgotten the socket; %d more events came, closed is %t, held are %+v",
			events-seen, s.Closed(), l.Held())
	}
	buffer := make([]byte, 100)
	if n, err := unix.Read(own, buffer); string(buffer[:max(n, 0)]) != "for the new owner" {
		t.Errorf("the new owner should read what was sent, and reads %q (%v)", buffer[:max(n, 0)], err)
	}
	if _, err := unix.Write(own, []byte("and back")); err != nil {
		t.Errorf("the new owner should be able to write: %v", err)
	}
	if got, ended := looptest.Receive(t, peer); got != "and back" || ended {
		t.Errorf("the peer should get what the new owner wrote, and got %q (ended: %t)", got, ended)
	}
	if _, err := s.Detach(); err != loop.ErrClosed {
		t.Errorf("detaching a second time should return ErrClosed, and returned %v", err)
	}
}

type counting struct{ events *int }

func (c counting) SocketEvent(loop.Readiness) { *c.events++ }
