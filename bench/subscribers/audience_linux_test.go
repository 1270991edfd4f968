package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/penstock-go/penstock/bench/internal/socket"
	"github.com/penstock-go/penstock/bench/subscribers/report"
	"golang.org/x/sys/unix"
)

// hangUp is an event at which the test server closes the subscriber's connection.
const hangUp = "hang up"

// A testServer is a server of events. alter, when not nil, says what becomes of an event,
// counted from 1, for a subscriber, counted from 0 in the order of their requests.
type testServer struct {
	status  int // of the answer to a POST
	alter   func(event, subscriber int, stalled bool, text string) string
	before  func(event int) // is called before an event is sent; nil: nothing
	arrived chan bool       // whether a new subscriber is a stalled one; nil: not told

	published int // events

	mu          sync.Mutex
	subscribers []testSubscriber
}

type testSubscriber struct {
	texts   chan string
	stalled bool
}

type isStalled struct{}

func (s *testServer) start(t *testing.T) (address string) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	server.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		return context.WithValue(ctx, isStalled{}, largestSegment(t, c) <= stalledSegment)
	}
	server.Start()
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.Listener.Addr().String()
}

// largestSegment tells the connections apart: only stalled ones have small segments.
func largestSegment(t *testing.T, c net.Conn) (size int) {
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err == nil {
		err = raw.Control(func(fd uintptr) { size, _ = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_MAXSEG) })
	}
	if err != nil {
		t.Errorf("the size of segments cannot be read: %v", err)
	}
	return size
}

func (s *testServer) serve(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		s.publish(r.Body)
		w.WriteHeader(s.status)
		return
	}
	subscriber := testSubscriber{texts: make(chan string, 100), stalled: r.Context().Value(isStalled{}).(bool)}
	s.mu.Lock()
	s.subscribers = append(s.subscribers, subscriber)
	s.mu.Unlock()
	stream := http.NewResponseController(w)
	stream.Flush()
	if s.arrived != nil {
		s.arrived <- subscriber.stalled
	}
	for {
		select {
		case text := <-subscriber.texts:
			if text == hangUp {
				panic(http.ErrAbortHandler)
			}
			io.WriteString(w, text)
			stream.Flush()
		case <-r.Context().Done():
			return
		}
	}
}

func (s *testServer) publish(body io.Reader) {
	message, _ := io.ReadAll(body)
	s.published++ // by one goroutine alone
	if s.before != nil {
		s.before(s.published)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, subscriber := range s.subscribers {
		text := fmt.Sprintf("id: %d\ndata: %s\n\n", s.published, message)
		if s.alter != nil {
			text = s.alter(s.published, i, subscriber.stalled, text)
		}
		if text != "" {
			subscriber.texts <- text
		}
	}
}

func newTestAudience(t *testing.T, s *testServer, readers, stalled int) *audience {
	t.Helper()
	server, err := socket.ParseServer(s.start(t))
	if err != nil {
		t.Fatalf("the test server's address is not taken: %v", err)
	}
	a, err := newAudience(server, readers, stalled, 100)
	t.Cleanup(a.close)
	if err != nil {
		t.Fatalf("no audience: %v", err)
	}
	return a
}

func TestServeFollowsItsProtocol(t *testing.T) {
	const readers = batchSize + 3 // more than are opened at once
	address := (&testServer{status: 204}).start(t)
	commands, toServe := io.Pipe()
	fromServe, reports := io.Pipe()
	finished := make(chan error, 1)
	go func() {
		o := options{address: address, readers: readers, messageSize: 100, rate: 50, progress: 100 * time.Millisecond}
		finished <- serve(o, commands, reports)
		reports.Close()
	}()
	lines := bufio.NewScanner(fromServe)
	next := func() (found report.Report) {
		if !lines.Scan() || json.Unmarshal(lines.Bytes(), &found) != nil {
			t.Fatalf("the line is %q (%v), expected a report in JSON; serve ends with %v", lines.Text(), lines.Err(), <-finished)
		}
		return found
	}
	if found := next(); found.Kind != report.Ready {
		t.Errorf("the first report is %+v, expected that all is ready", found)
	}
	io.WriteString(toServe, "publish 2\n")
	if found := next(); found.Kind != report.Published || found.Events != 2 || found.Deliveries != 2*readers || found.Missing != 0 {
		t.Errorf("after two events the report is %+v, expected %d deliveries", found, 2*readers)
	}
	io.WriteString(toServe, "run 1\n")
	found, progress := next(), 0
	for ; found.Kind == report.Progress; found = next() {
		progress++
	}
	if progress == 0 {
		t.Error("the run had no report of progress, expected some")
	}
	if found.Kind != report.Finished || found.Events < 1 || found.Deliveries != found.Events*readers || found.Missing != 0 ||
		found.Bytes < found.Deliveries*100 || found.LatencyP50 <= 0 || found.LatencyP90 < found.LatencyP50 ||
		found.LatencyP999 < found.LatencyP99 || found.LatencyP99 > found.LatencyMax {
		t.Errorf("the run ends with %+v, expected %d deliveries of each event, of 100 bytes at least, and latencies", found, readers)
	}
	io.WriteString(toServe, "grow 5\n")
	if found := next(); found.Kind != report.Ready {
		t.Errorf("after five more were asked for the report is %+v, expected that they are ready", found)
	}
	io.WriteString(toServe, "publish 1\n")
	if found := next(); found.Kind != report.Published || found.Deliveries != readers+5 {
		t.Errorf("after five more the report of an event is %+v, expected %d deliveries", found, readers+5)
	}
	toServe.Close()
	if err := <-finished; err != nil {
		t.Errorf("serve ends with the error %v, expected none", err)
	}
}

func TestStalledSubscribersAreOpenedAnew(t *testing.T) {
	s := &testServer{status: 204, arrived: make(chan bool, 10)}
	s.alter = func(event, _ int, stalled bool, text string) string {
		if event == 2 && stalled {
			return hangUp
		}
		return text
	}
	s.before = func(event int) {
		for again := 0; event == 3 && again < 2; { // is sent when both are back
			if <-s.arrived {
				again++
			}
		}
	}
	a := newTestAudience(t, s, 3, 2)
	for range 5 {
		<-s.arrived
	}
	found, err := a.publish(pace{events: 4}, nil)
	if err != nil || found.Reopened != 2 || found.Deliveries != 12 || found.Missing != 0 {
		t.Errorf("the run ends with %+v and error %v, expected 2 subscribers reopened and 12 deliveries to the 3 that read", found, err)
	}
	found, err = a.publish(pace{events: 1}, nil)
	if err != nil || found.Reopened != 0 || found.Deliveries != 3 {
		t.Errorf("the next run ends with %+v and error %v, expected its own counts: none reopened and 3 deliveries", found, err)
	}
}

// At an interval the events after a missing one are published all the same; one after another,
// the next is not.
func TestAMissingEventIsCounted(t *testing.T) {
	tests := []struct {
		interval           time.Duration
		events, deliveries int64
	}{{time.Millisecond, 3, 8}, {0, 2, 5}}
	for _, test := range tests {
		a := newTestAudience(t, &testServer{status: 204, alter: func(event, subscriber int, _ bool, text string) string {
			if event == 2 && subscriber == 1 {
				return ""
			}
			return text
		}}, 3, 0)
		a.patience = time.Second
		found, err := a.publish(pace{events: 3, interval: test.interval}, nil)
		if err != nil || found.Missing != 1 || found.Events != test.events || found.Deliveries != test.deliveries {
			t.Errorf("at intervals of %v the run ends with %+v and error %v, expected %d events, %d deliveries and 1 missing",
				test.interval, found, err, test.events, test.deliveries)
		}
	}
}

func TestAudienceSeesWhatIsWrong(t *testing.T) {
	tests := []struct {
		why, altered, complaint string
		status                  int
	}{
		{"an event twice", "%[1]s%[1]s", "each once", 204},
		{"a foreign event", "%sdata: hello\n\n", "published here", 204},
		{"a connection closed", hangUp + "%.0s", "closed the connection of a subscriber", 204},
		{"a POST refused", "%s", "begins with", 503},
	}
	for _, test := range tests {
		a := newTestAudience(t, &testServer{status: test.status, alter: func(event, subscriber int, _ bool, text string) string {
			if subscriber == 1 {
				return fmt.Sprintf(test.altered, text)
			}
			return text
		}}, 3, 0)
		if found, err := a.publish(pace{events: 2}, nil); err == nil || !strings.Contains(err.Error(), test.complaint) {
			t.Errorf("%s: the run ends with %+v and error %v, expected an error with %q", test.why, found, err, test.complaint)
		}
	}
}

// TestAConnectionThatEndsWithAnEvent hands over both in one event of epoll, which over a
// server would be a matter of luck.
func TestAConnectionThatEndsWithAnEvent(t *testing.T) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatalf("no pair of sockets: %v", err)
	}
	defer unix.Close(pair[0])
	a := &audience{buffer: make([]byte, 1<<10), opening: 1}
	s := &subscriber{fd: pair[0], asked: true}
	if err := a.ready(s, unix.EPOLLIN); err != nil {
		t.Errorf("an event of epoll without anything to read gives the error %v, expected none", err)
	}
	unix.Write(pair[1], []byte(testHead))
	unix.Close(pair[1])
	err = a.ready(s, unix.EPOLLIN|unix.EPOLLRDHUP)
	if err == nil || !strings.Contains(err.Error(), "closed the connection") || a.opening != 0 {
		t.Errorf("the error is %v and %d subscribers lack an answer, expected the head to be read and then the end to be seen", err, a.opening)
	}
}

func TestServeRefuses(t *testing.T) {
	address := (&testServer{status: 204}).start(t)
	good := options{address: address, readers: 1, messageSize: 100}
	tests := []struct {
		why, command, complaint string
		change                  func(*options)
	}{
		{"no reader", "", "-readers is 0", func(o *options) { o.readers = 0 }},
		{"a message without room", "", "-size 10", func(o *options) { o.messageSize = 10 }},
		{"a name for an address", "", "-addr", func(o *options) { o.address = "localhost:80" }},
		{"a command without a number", "run", "the command is", func(*options) {}},
		{"an unknown command", "jump 1", "expected grow, publish or run", func(*options) {}},
		{"nobody who listens", "", syscall.ECONNREFUSED.Error(), func(o *options) { o.address = "127.0.0.1:1" }},
	}
	for _, test := range tests {
		o := good
		test.change(&o)
		err := serve(o, strings.NewReader(test.command), io.Discard)
		if err == nil || !strings.Contains(err.Error(), test.complaint) {
			t.Errorf("%s: the error is %v, expected one with %q", test.why, err, test.complaint)
		}
	}
}

// TestSignalsDoNotEndAWait: a wait that a signal interrupts is not over, or subscribers would be
// said to have got no answer.
func TestSignalsDoNotEndAWait(t *testing.T) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGUSR1)
	defer signal.Stop(signals)
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(epoll)
	ready, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(ready)
	if err := unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, ready, &unix.EpollEvent{Events: unix.EPOLLIN}); err != nil {
		t.Fatal(err)
	}

	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	go func(thread int) {
		for range 1000 {
			_ = unix.Tgkill(unix.Getpid(), thread, unix.SIGUSR1)
			runtime.Gosched()
		}
		_, _ = unix.Write(ready, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	}(unix.Gettid())
	a := &audience{epoll: epoll, events: make([]unix.EpollEvent, 1)}
	if n, err := a.pollUntil(time.Now().Add(time.Minute)); n != 1 || err != nil {
		t.Errorf("among 1,000 signals the wait ended with %d events and the error %v, one event was expected", n, err)
	}
}
