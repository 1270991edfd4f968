package main

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// connectedPair returns both ends of a connection to a port of its own.
func connectedPair(t *testing.T) (client, served net.Conn, port uint16) {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("no listener: %v", err)
	}
	t.Cleanup(func() { listener.Close() })
	client = dial(t, listener.Addr().String())
	if served, err = listener.Accept(); err != nil {
		t.Fatalf("the connection is not accepted: %v", err)
	}
	t.Cleanup(func() { served.Close() })
	return client, served, uint16(listener.Addr().(*net.TCPAddr).Port)
}

// passBytes moves so many from one end of a connection to the other.
func passBytes(t *testing.T, from, to net.Conn, written, read int) {
	t.Helper()
	if _, err := io.WriteString(from, strings.Repeat("x", written)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(to, make([]byte, read)); err != nil {
		t.Fatal(err)
	}
}

// TestPassageSeesWhatIsOnItsWay plays the upstream, the gateway and its client.
func TestPassageSeesWhatIsOnItsWay(t *testing.T) {
	towards, upstream, upstreamPort := connectedPair(t)
	client, gateway, gatewayPort := connectedPair(t)
	passBytes(t, upstream, towards, 1500, 1000)
	passBytes(t, gateway, client, 400, 100)
	p := passage{gateway: gatewayPort, upstream: upstreamPort}
	found, known, err := p.count()
	if err != nil || !known {
		t.Fatalf("the count is known: %v, with the error %v; expected that nothing blurs it", known, err)
	}
	if found.held != 600 || found.written != 1400 {
		t.Errorf("%d bytes are held and %d on their way, expected 1,000 - 400 and 1,500 - 100", found.held, found.written)
	}
	// What the client has not acknowledged yet is in the gateway's buffers, too.
	if found.queued < 500 || found.queued > 900 {
		t.Errorf("%d bytes are in the gateway's buffers, expected the 500 that it has not read and at most 400 more", found.queued)
	}
}

func TestLookingKeepsTheLargest(t *testing.T) {
	towards, upstream, upstreamPort := connectedPair(t)
	client, gateway, gatewayPort := connectedPair(t)
	passBytes(t, upstream, towards, 1000, 1000)
	ticks := make(chan time.Time)
	resident := func() (float64, error) { return 5 << 20, nil }
	looking := passage{gateway: gatewayPort, upstream: upstreamPort, resident: resident}.look(t.Context(), ticks)
	ticks <- time.Time{}
	ticks <- time.Time{} // is taken when the look before it is over
	passBytes(t, gateway, client, 1000, 1000)
	ticks <- time.Time{}
	ticks <- time.Time{}
	for range 2 {
		if most, err := looking.end(); err != nil || most.held != 1000 {
			t.Errorf("the most that was held is %+v with the error %v, expected 1,000 bytes, for as long as they were", most, err)
		}
	}
	if all := looking.course.moments; len(all) != 1 || all[0] != (moment{In: 1000, Resident: 5 << 20}) {
		t.Errorf("the course is %+v, expected the first look, with 1,000 bytes in and none out", all)
	}
}

func TestLookingThatSawNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (passage{}).look(ctx, nil).end(); err == nil || !strings.Contains(err.Error(), "0 of 0 looks") {
		t.Errorf("without any look the error is %v, expected that nothing is known", err)
	}
}
