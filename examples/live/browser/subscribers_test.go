package browser

import (
	"flag"
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"
)

var subscriberCount = flag.Int("subscribers", 2_000, "how many subscribers the page is tested among")

// spareFiles is how many files a process has open besides its subscribers' sockets, at most.
const spareFiles = 200

// The page stays connected and shows what comes while thousands of others are told the same.
func TestPageStaysLiveAmongSubscribers(t *testing.T) {
	raiseFileLimit(t, *subscriberCount+spareFiles)
	browser := startBrowser(t)
	live := newProgram(t)
	p := openPage(t, browser, "among subscribers", live)
	p.evaluate(`new MutationObserver(() => { document.body.dataset.leftState ||= document.body.dataset.state })
		.observe(document.body, {attributeFilter: ['data-state']})`, nil)
	others := openSubscribers(t, live, *subscriberCount)
	p.await("its number of subscribers counts the others", fmt.Sprintf(`%s >= %d`, number("subscribers"), *subscriberCount))
	p.await("its number of connections counts the others", fmt.Sprintf(`%s >= %d`, number("connections"), *subscriberCount))
	var texts []string
	for i := range 5 {
		texts = append(texts, fmt.Sprintf("to everybody, message %d of 5", i+1))
	}
	live.publish(texts[:4]...)
	p.send(texts[4])
	p.expectMessages(texts...)
	others.expectMessages(texts)
	others.close()
	p.await("the others are not counted any more", fmt.Sprintf(`%s < %d`, number("subscribers"), *subscriberCount))
	p.await("it is connected", connected)
	var left string
	p.evaluate(`document.body.dataset.leftState ?? ''`, &left)
	if left != "" {
		t.Errorf("the page should have been connected all the time, and was once %q", left)
	}
}

// number is the value of a tile in the language of the page, whatever it puts between the
// digits of thousands.
func number(figure string) string {
	return fmt.Sprintf(`Number(document.querySelector('[data-figure=%s] .value').textContent.replace(/\D/g, ''))`, figure)
}

// raiseFileLimit has this process, and those that it starts, open as many files as needed.
func raiseFileLimit(t *testing.T, needed int) {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatalf("the limit of open files cannot be read: %v", err)
	}
	// Set even where it is high enough: Go has raised it for this process alone.
	limit.Cur = max(limit.Cur, uint64(needed))
	limit.Max = max(limit.Max, limit.Cur)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatalf("%d open files are needed for the subscribers, and the limit cannot be raised to them: %v", needed, err)
	}
}

// subscribers are sockets on which the board's messages arrive.
type subscribers struct {
	t     *testing.T
	conns []net.Conn
	read  []strings.Builder // what has arrived on each
}

// openSubscribers returns when every one of the subscribers has the head of its answer.
func openSubscribers(t *testing.T, live *program, count int) *subscribers {
	t.Helper()
	s := &subscribers{t: t, read: make([]strings.Builder, count)}
	t.Cleanup(s.close)
	for i := range count {
		conn, err := net.Dial("tcp", live.address)
		if err != nil {
			t.Fatalf("subscriber %d of %d cannot connect: %v", i+1, count, err)
		}
		// Closed by RST: thousands of ports in TIME_WAIT would be missing to the next test.
		conn.(*net.TCPConn).SetLinger(0)
		s.conns = append(s.conns, conn)
		if _, err := fmt.Fprintf(conn, "GET /events?only=messages HTTP/1.1\r\nHost: %s\r\n\r\n", live.address); err != nil {
			t.Fatalf("subscriber %d of %d cannot send its request: %v", i+1, count, err)
		}
	}
	for i := range s.conns {
		s.readUntil(i, "\r\n\r\n")
		if head := s.read[i].String(); !strings.HasPrefix(head, "HTTP/1.1 200 ") {
			t.Fatalf("subscriber %d of %d should be answered 200, and was answered %q", i+1, count, head)
		}
	}
	return s
}

// readUntil reads on one socket until a text has arrived there.
func (s *subscribers) readUntil(i int, text string) {
	s.t.Helper()
	s.conns[i].SetReadDeadline(time.Now().Add(patience))
	buffer := make([]byte, 4<<10)
	for !strings.Contains(s.read[i].String(), text) {
		n, err := s.conns[i].Read(buffer)
		s.read[i].Write(buffer[:n])
		if err != nil {
			s.t.Fatalf("subscriber %d of %d should get %q, and got %q, error %v", i+1, len(s.conns), text, s.read[i].String(), err)
		}
	}
}

// expectMessages fails the test unless every subscriber gets each message once, in order.
func (s *subscribers) expectMessages(texts []string) {
	s.t.Helper()
	for i := range s.conns {
		s.readUntil(i, texts[len(texts)-1])
		rest := s.read[i].String()
		for _, text := range texts {
			_, after, found := strings.Cut(rest, text)
			if !found || strings.Contains(after, text) {
				s.t.Fatalf("subscriber %d of %d should get each of %q once and in order, and got %q", i+1, len(s.conns), texts, s.read[i].String())
			}
			rest = after
		}
	}
}

// close closes all sockets. It may be called again.
func (s *subscribers) close() {
	for _, conn := range s.conns {
		conn.Close()
	}
}
