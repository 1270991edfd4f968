package main

import (
	"bufio"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
)

const testAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

// A testServer answers the first request on each connection and keeps it open, but for those
// that closeAtCheck names: it closes so many as soon as all are answered.
func startTestServer(t *testing.T, answer string, connections, closeAtCheck int) (address string, closed <-chan struct{}) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("no listener: %v", err)
	}
	done := make(chan struct{})
	stop := make(chan struct{})
	ended := make(chan struct{})
	t.Cleanup(func() { listener.Close(); close(stop); <-ended })
	go func() {
		defer close(ended)
		var accepted []net.Conn
		for range connections {
			connection, err := listener.Accept()
			if err != nil {
				break
			}
			accepted = append(accepted, connection)
			io.ReadFull(connection, make([]byte, len(request)))
			io.WriteString(connection, answer)
		}
		for _, connection := range accepted[:min(closeAtCheck, len(accepted))] {
			connection.Close()
		}
		close(done)
		<-stop
		for _, connection := range accepted {
			connection.Close()
		}
	}()
	return listener.Addr().String(), done
}

func TestRunHoldsAndCounts(t *testing.T) {
	const connections = batchSize + 3 // more than one batch
	for _, closing := range []int{0, 7} {
		address, closed := startTestServer(t, testAnswer, connections, closing)
		commands, toHolder := io.Pipe()
		fromHolder, reports := io.Pipe()
		finished := make(chan error, 1)
		go func() {
			finished <- run(address, len(testAnswer), commands, reports)
			reports.Close()
		}()
		lines := bufio.NewScanner(fromHolder)
		tell := func(command string) {
			if _, err := io.WriteString(toHolder, command+"\n"); err != nil {
				t.Fatalf("the holder takes no command: %v", err)
			}
		}
		tell("hold 2")
		expectLine(t, lines, "held 2")
		tell("hold 259")
		expectLine(t, lines, "held 259")
		<-closed
		tell("check")
		expectLine(t, lines, map[int]string{0: "open 259", 7: "open 252"}[closing])
		toHolder.Close()
		if err := <-finished; err != nil {
			t.Errorf("the holder failed: %v", err)
		}
	}
}

func expectLine(t *testing.T, lines *bufio.Scanner, expected string) {
	t.Helper()
	if !lines.Scan() || lines.Text() != expected {
		t.Fatalf("the holder printed %q (%v), expected %q", lines.Text(), lines.Err(), expected)
	}
}

func TestRunSeesWhatIsWrong(t *testing.T) {
	tests := []struct {
		why, answer string
		closing     int
		complaint   string
	}{
		{"another status", strings.Replace(testAnswer, "200", "503", 1), 0, "begins with"},
		{"more than the answer", testAnswer + "!", 0, "at least"},
		{"less than the answer, then closed", testAnswer[:10], 1, "closed the connection"},
	}
	for _, test := range tests {
		address, _ := startTestServer(t, test.answer, 1, test.closing)
		err := run(address, len(testAnswer), strings.NewReader("hold 1\n"), io.Discard)
		if err == nil || !strings.Contains(err.Error(), test.complaint) {
			t.Errorf("%s: the error is %v, expected one with %q", test.why, err, test.complaint)
		}
	}
	for _, command := range []string{"hold", "hold 0", "hold some", "sing"} {
		err := run("127.0.0.1:1", 1, strings.NewReader(command+"\n"), io.Discard)
		if err == nil || !strings.Contains(err.Error(), strconv.Quote(command)) {
			t.Errorf("the command %q gives the error %v, expected one that quotes it", command, err)
		}
	}
	if err := run("localhost:80", 1, strings.NewReader(""), io.Discard); err == nil {
		t.Error("a name was taken as an address, expected an error")
	}
}
