package server_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// Row 38: descriptors are used up. The server runs in a process of its own, this test
// binary called again, so that the shortage is not the test's.

const (
	fewDescriptors   = "PENSTOCK_TEST_FEW_DESCRIPTORS" // set in the server's process
	spareDescriptors = 20
)

func TestHostile38DescriptorsUsedUp(t *testing.T) {
	if os.Getenv(fewDescriptors) != "" {
		serveWithFewDescriptors(t)
		return
	}
	t.Parallel()
	s := newSubject()
	s.network, s.address = "tcp", startOtherProcess(t)
	s.wantBystanderServed(t, "before")
	var peers []*peer
	for i := range 3 * spareDescriptors {
		p := s.dial(t)
		p.send(get("/" + strconv.Itoa(i)))
		peers = append(peers, p)
	}
	for s.askBystander(t, "/log") == "0" {
		s.wantBystanderServed(t, "until the descriptors are used up")
	}
	for range 100 {
		s.wantBystanderServed(t, "when there are no descriptors")
	}
	s.wantIdle(t)
	served := 2 * spareDescriptors
	for i, p := range peers[:served] {
		if i < spareDescriptors/2 {
			p.wantSaid("who was accepted is served", "/"+strconv.Itoa(i), 0)
		}
		p.close()
	}
	for _, p := range peers[served+spareDescriptors/2:] {
		p.close()
	}
	for i, p := range peers[served : served+spareDescriptors/2] {
		p.wantSaid("who had to wait is served when there are descriptors again", "/"+strconv.Itoa(served+i), 0)
	}
	s.wantBystanderServed(t, "after")
	s.bystander.close()
}

// askBystander has the bystander ask for something else.
func (s *subject) askBystander(t testing.TB, target string) string {
	t.Helper()
	s.bystander.send(get(target))
	return s.bystander.wantAnswer("the bystander is served when there are no descriptors", 200).body
}

// wantIdle has the server wait, and looks at the processor time that it took for that: a
// loop that tries to accept without a pause takes all of it.
func (s *subject) wantIdle(t testing.TB) {
	t.Helper()
	used := func() time.Duration {
		d, err := time.ParseDuration(s.askBystander(t, "/processor"))
		if err != nil {
			t.Fatalf("the server says how much processor time it has used: %v", err)
		}
		return d
	}
	before := used()
	s.askBystander(t, "/wait")
	if busy := used() - before; busy > waiting/2 {
		t.Errorf("a server without descriptors does not spin: it was busy for %v of %v", busy, waiting)
	}
}

// waiting is how long /wait takes.
const waiting = 400 * time.Millisecond

// startOtherProcess returns the address of a server that has few descriptors. At the end
// of the test it must end in order.
func startOtherProcess(t *testing.T) (address string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), fewDescriptors+"=1")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatalf("the test binary can be started again: %v", err)
	}
	output := bufio.NewReader(stdout)
	line, err := output.ReadString('\n')
	t.Cleanup(func() {
		stdin.Close()
		rest, _ := io.ReadAll(output)
		if err := cmd.Wait(); err != nil {
			t.Errorf("the server that had too few descriptors ends in order: %v\n%s%s", err, line, rest)
		}
	})
	address, found := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if err != nil || !found {
		t.Fatalf("the other process says where it listens, not %q, %v", line, err)
	}
	return address
}

// serveWithFewDescriptors is the other process. It serves until its input ends.
func serveWithFewDescriptors(t *testing.T) {
	s := newSubject()
	s.start(t, server.Options{}, func(r *server.Request) server.Response {
		switch r.Path() {
		case "/log":
			lines := 0
			s.note(func() { lines = len(s.log) })
			return server.Text(200, strconv.Itoa(lines))
		case "/processor":
			return server.Text(200, processorTime(t).String())
		case "/wait":
			return server.Later(pipeline.Map(r.After(waiting), func(time.Duration) (server.Response, error) {
				return server.Empty(200), nil
			}))
		}
		return countBody(r)
	})
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	few := limit
	few.Cur = uint64(lowestDescriptor(t) + spareDescriptors)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &few); err != nil {
		t.Fatal(err)
	}
	fmt.Println("listening on", s.address)
	_, _ = io.Copy(io.Discard, os.Stdin)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	s.wantLogged(t, "the shortage is logged once", "no connections are accepted", "too many open files")
}

func lowestDescriptor(t *testing.T) int {
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	return int(file.Fd())
}

func processorTime(t *testing.T) time.Duration {
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		t.Error(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
