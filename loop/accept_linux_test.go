package loop_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/loop/looptest"
)

// TestAcceptShortage is row 38 with an injected error: one log line for the episode, no
// attempt before the time to try again, and accepting goes on.
func TestAcceptShortage(t *testing.T) {
	for _, shortage := range []error{unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.ENOMEM, unix.EINVAL} {
		var log logBuffer
		l := looptest.NewLogging(t, log.logger())
		ln := listen(t, "tcp", "127.0.0.1:0", []*loop.Loop{l.Loop}, accept)
		attempts, short := 0, true
		ln.SetAccept(func(listener int) (int, error) {
			attempts++
			if short {
				return -1, shortage
			}
			return loop.AcceptNonBlocking(listener)
		})
		l.Settle()
		attempts = 0
		client := connect(t, ln.Addr())
		l.Settle()
		connect(t, ln.Addr())
		l.Settle()
		if attempts != 1 {
			t.Errorf("%v: accept was tried %d times before it was time to try again; it should be once", shortage, attempts)
		}
		l.Advance(3 * loop.AcceptRetry)
		if attempts != 4 || log.lines("no connections are accepted") != 1 {
			t.Errorf("%v: three pauses later accept was tried %d times, and the log is:\n%s", shortage, attempts, log.String())
		}
		short = false
		l.Advance(loop.AcceptRetry)
		if l.Held().Sockets != 3 || l.Held().Timers != 0 {
			t.Errorf("%v: when there are resources again both connections should be accepted; held is %+v", shortage, l.Held())
		}
		short = true
		connect(t, ln.Addr())
		l.Settle()
		if log.lines("no connections are accepted") != 2 {
			t.Errorf("%v: a second episode should be logged; the log is:\n%s", shortage, log.String())
		}
		client.Close()
		closeListener(ln, l)
		l.Abandon()
	}
}

// TestFailedConnectionsArePassedOver: an error that belongs to one connection does not
// keep the next from being accepted.
func TestFailedConnectionsArePassedOver(t *testing.T) {
	l := looptest.New(t)
	ln := listen(t, "tcp", "127.0.0.1:0", []*loop.Loop{l.Loop}, accept)
	failures := []error{unix.ECONNABORTED, unix.EPROTO, unix.EINTR, unix.EPERM, unix.ENETUNREACH}
	ln.SetAccept(func(listener int) (int, error) {
		if len(failures) > 0 {
			err := failures[0]
			failures = failures[1:]
			return -1, err
		}
		return loop.AcceptNonBlocking(listener)
	})
	client := connect(t, ln.Addr())
	l.Settle()
	if l.Held().Sockets != 2 || l.Held().Timers != 0 {
		t.Errorf("behind connections that failed the next should be accepted at once; held is %+v", l.Held())
	}
	client.Close()
	closeListener(ln, l)
}

// TestAcceptBudget: a long queue takes several turns, and sockets have theirs between.
func TestAcceptBudget(t *testing.T) {
	l := looptest.New(t)
	var accepted []int // in each turn
	turn := -1
	ln := listen(t, "tcp", "127.0.0.1:0", []*loop.Loop{l.Loop}, func(_ *loop.Loop, fd int) {
		accepted[turn]++
		_ = unix.Close(fd)
	})
	for range 2*loop.AcceptBudget + 1 {
		connect(t, ln.Addr())
	}
	for {
		turn++
		accepted = append(accepted, 0)
		if l.Poll() == 0 {
			break
		}
	}
	for _, n := range accepted {
		if n > loop.AcceptBudget {
			t.Errorf("one turn accepted %d connections; its budget is %d", n, loop.AcceptBudget)
		}
	}
	if fmt.Sprint(accepted) != fmt.Sprint([]int{0, loop.AcceptBudget, loop.AcceptBudget, 1, 0}) {
		t.Errorf("the turns accepted %v connections; it should be all, a budget at a time", accepted)
	}
	closeListener(ln, l)
}

// TestAcceptPanics: the connection is closed, attached or not, and the listener goes on.
func TestAcceptPanics(t *testing.T) {
	var log logBuffer
	l := looptest.NewLogging(t, log.logger())
	attachFirst := false
	ln := listen(t, "tcp", "127.0.0.1:0", []*loop.Loop{l.Loop}, func(l *loop.Loop, fd int) {
		if attachFirst {
			accept(l, fd)
		}
		panic("panic of accept")
	})
	for _, attachFirst = range []bool{false, true} {
		client := connect(t, ln.Addr())
		l.Settle()
		if _, err := client.Read(make([]byte, 1)); err == nil {
			t.Error("a connection whose accept function panicked should be closed")
		}
	}
	if log.lines("panic of accept") != 2 || l.Held().Sockets != 1 {
		t.Errorf("the listener should go on after a panic; held is %+v, the log is:\n%s", l.Held(), log.String())
	}
	closeListener(ln, l)
}

// descriptorLimit is the environment variable that makes the test below the server of
// its own subprocess.
const descriptorLimit = "PENSTOCK_TEST_DESCRIPTOR_LIMIT"

// TestAcceptAtDescriptorLimit is row 38 for real: a process with few descriptors gets
// more connections than it has room for. Those it has are served, and the others are
// when there is room.
func TestAcceptAtDescriptorLimit(t *testing.T) {
	if os.Getenv(descriptorLimit) != "" {
		serveAtDescriptorLimit(t)
		return
	}
	server := exec.Command(os.Args[0], "-test.run=^TestAcceptAtDescriptorLimit$", "-test.count=1")
	server.Env = append(os.Environ(), descriptorLimit+"=yes")
	var log logBuffer
	server.Stderr = &log
	stdin, err := server.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(stdout)
	address, err := lines.ReadString('\n')
	if err != nil {
		t.Fatalf("the server gave no address: %v; it said:\n%s", err, log.String())
	}
	tcp, err := net.ResolveTCPAddr("tcp", strings.TrimSpace(address))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			rest, _ := io.ReadAll(lines)
			t.Logf("the server said:\n%s%s", rest, log.String())
		}
	})
	var clients []net.Conn
	for range 60 {
		clients = append(clients, connect(t, tcp))
	}
	exchange(t, clients[0], "the first is served")
	for i, c := range clients { // each that ends makes room for one more
		exchange(t, c, fmt.Sprintf("client %d", i))
		c.Close()
	}
	stdin.Close()
	if _, err := io.Copy(io.Discard, lines); err != nil {
		t.Error(err)
	}
	if err := server.Wait(); err != nil {
		t.Errorf("the server ended with %v; it said:\n%s", err, log.String())
	}
	if log.lines("no connections are accepted") != 1 {
		t.Errorf("the shortage should be logged once; the server said:\n%s", log.String())
	}
}

// serveAtDescriptorLimit echoes until its input ends.
func serveAtDescriptorLimit(t *testing.T) {
	log := &logBuffer{}
	g := start(t, 1, loop.Options{Logger: log.logger()})
	ln := listen(t, "tcp", "127.0.0.1:0", g.Loops(), accept)
	highest, err := unix.FcntlInt(uintptr(ln.Sockets()[0]), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	_ = unix.Close(highest)
	limit := unix.Rlimit{Cur: uint64(highest + 10), Max: uint64(highest + 10)}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	fmt.Println(ln.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin)
	fmt.Fprint(os.Stderr, log.String())
}
