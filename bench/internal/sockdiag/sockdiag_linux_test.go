package sockdiag

import (
	"io"
	"net"
	"strings"
	"testing"
)

func connect(t *testing.T) (client, served net.Conn, port uint16) {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("no listener: %v", err)
	}
	t.Cleanup(func() { listener.Close() })
	client, err = net.Dial("tcp4", listener.Addr().String())
	if err != nil {
		t.Fatalf("no connection: %v", err)
	}
	t.Cleanup(func() { client.Close() })
	if served, err = listener.Accept(); err != nil {
		t.Fatalf("the connection is not accepted: %v", err)
	}
	t.Cleanup(func() { served.Close() })
	return client, served, uint16(listener.Addr().(*net.TCPAddr).Port)
}

// TestTrafficOfAConnection writes 1,000 bytes one way, of which 300 are read. The SYN of who
// connects counts as a byte.
func TestTrafficOfAConnection(t *testing.T) {
	client, served, port := connect(t)
	if _, err := io.WriteString(client, strings.Repeat("x", 1000)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(served, make([]byte, 300)); err != nil {
		t.Fatal(err)
	}
	at, err := Of(port)
	if err != nil {
		t.Fatalf("the server's side is not told: %v", err)
	}
	if expected := (Traffic{Connections: 1, Read: 300, Unread: 700}); at != expected {
		t.Errorf("the server's side has carried %+v, expected %+v", at, expected)
	}
	from, err := To(port)
	if err != nil {
		t.Fatalf("the client's side is not told: %v", err)
	}
	if from.Connections != 1 || from.Written < 1000 || from.Written > 1001 || from.Read != 0 {
		t.Errorf("the client's side has carried %+v, expected one connection with 1,000 bytes written", from)
	}
}

func TestListenersAndClosedConnectionsHaveNoTraffic(t *testing.T) {
	client, served, port := connect(t)
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	if err := served.Close(); err != nil {
		t.Fatal(err)
	}
	if at, err := Of(port); err != nil || at.Connections != 0 {
		t.Errorf("behind the end of its connection a port has %+v and the error %v, expected nothing", at, err)
	}
}

func TestMessagesThatAreCut(t *testing.T) {
	for _, messages := range []string{"\x08" + strings.Repeat("\x00", 19), "\xff\x00\x00\x00\x14\x00" + strings.Repeat("\x00", 14)} {
		var sum Traffic
		if done, err := sum.add([]byte(messages)); err == nil || done {
			t.Errorf("of %q the end is %v and the error %v, expected that its length is refused", messages, done, err)
		}
	}
	refusal := request(local, 80)
	refusal[4], refusal[5] = 2, 0 // NLMSG_ERROR, with what stands there as its number
	var sum Traffic
	if _, err := sum.add(refusal); err == nil || !strings.Contains(err.Error(), "refuses") {
		t.Errorf("of a refusal the error is %v, expected that it is one", err)
	}
}
