package proxy

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/client"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server/servertest"
)

// played is one exchange through the whole chain, whose two ends do what a seed says, in the order that
// it says: send a piece, take what is there, break off.
type played struct {
	*chain
	random   *rand.Rand
	k        *servertest.Client
	u        *upstreamEnd // nil before the proxy has connected
	request  string       // what the client still has to send
	body     string       // of the request
	head     bool         // the method is HEAD
	answer   string       // what the upstream still has to send
	content  string       // of the answer
	whole    bool         // the answer declares where it ends
	received strings.Builder

	leavesAt, breaksAt int // step at which the client or the upstream breaks off; never if negative
	left, broken       bool
}

func newPlayed(t *testing.T, seed uint64) *played {
	r := rand.New(rand.NewPCG(seed, 9))
	s := &played{random: r, leavesAt: -1, breaksAt: -1}
	s.chain = newChain(t, quiet, client.Options{Timeouts: client.Timeouts{Continue: -1}})
	s.k = s.chain.client("")
	s.makeRequest()
	s.makeAnswer()
	switch r.IntN(4) {
	case 0:
		s.leavesAt = r.IntN(40)
	case 1:
		s.breaksAt = r.IntN(40)
	}
	return s
}

// text returns up to limit bytes that do not repeat soon.
func (s *played) text(limit int) string {
	n := s.random.IntN(limit)
	if s.random.IntN(3) == 0 {
		n = s.random.IntN(200)
	}
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "%x.", i)
	}
	return b.String()[:n]
}

func (s *played) makeRequest() {
	method := []string{"GET", "POST", "HEAD", "PUT"}[s.random.IntN(4)]
	s.head = method == "HEAD"
	head := method + " /x HTTP/1.1\r\nHost: h\r\n"
	switch s.random.IntN(3) {
	case 0:
		s.request = head + "\r\n"
	case 1:
		s.body = s.text(300_000)
		s.request = head + fmt.Sprintf("Content-Length: %d\r\n\r\n", len(s.body)) + s.body
	default:
		s.body = s.text(300_000)
		s.request = head + "Transfer-Encoding: chunked\r\n\r\n" + s.chunks(s.body)
	}
}

func (s *played) makeAnswer() {
	s.content, s.whole = s.text(600_000), true
	switch s.random.IntN(3) {
	case 0:
		s.answer = fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", len(s.content)) + s.content
	case 1:
		s.answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + s.chunks(s.content)
	default:
		s.answer, s.whole = "HTTP/1.1 200 OK\r\n\r\n"+s.content, false
	}
	if s.head {
		end := strings.Index(s.answer, "\r\n\r\n") + 4
		s.answer, s.content = s.answer[:end], ""
	}
	if s.random.IntN(3) == 0 {
		s.answer = "HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n" + s.answer
	}
}

func (s *played) chunks(text string) string {
	var b strings.Builder
	for len(text) > 0 {
		n := min(len(text), 1+s.random.IntN(50_000))
		fmt.Fprintf(&b, "%x\r\n%s\r\n", n, text[:n])
		text = text[n:]
	}
	return b.String() + "0\r\n\r\n"
}

// piece cuts the next piece off a text.
func (s *played) piece(text string) int {
	n := 1 + s.random.IntN(70_000)
	if s.random.IntN(3) == 0 {
		n = 1 + s.random.IntN(30)
	}
	return min(n, len(text))
}

// step has one of the two ends do something.
func (s *played) step(i int) {
	switch {
	case i == s.leavesAt:
		s.left, s.request = true, ""
		s.k.Reset()
	case i == s.breaksAt && s.u != nil:
		s.broken, s.answer = true, ""
		s.u.close()
	}
	if s.u == nil && s.picked() > 0 && !s.left {
		s.u = s.accept()
	}
	switch action := s.random.IntN(4); {
	case action == 0 && s.request != "":
		n := s.k.Send(s.request[:s.piece(s.request)])
		s.request = s.request[n:]
	case action == 1 && !s.left:
		s.received.WriteString(s.k.Receive())
	case action == 2 && s.u != nil && !s.broken:
		s.u.drain()
	case action == 3 && s.u != nil && s.answer != "":
		n := s.piece(s.answer)
		rest := s.u.offer(s.answer[:n])
		if s.answer = s.answer[n-len(rest):]; s.answer == "" && !s.whole {
			_ = s.u.CloseWrite() // the proxy may have closed it
			s.Settle()
		}
	}
}

// run takes steps until both ends have nothing to do any more.
func (s *played) run() {
	for i := range 400 {
		s.step(i)
	}
	for range 10_000 {
		before := fmt.Sprint(len(s.request), len(s.answer), s.received.Len(), s.sawNothing())
		for action := range 40 {
			s.step(-2 - action)
		}
		if before == fmt.Sprint(len(s.request), len(s.answer), s.received.Len(), s.sawNothing()) {
			return
		}
	}
	s.t.Error("the exchange should come to an end, or to a halt")
}

func (s *played) sawNothing() int {
	if s.u == nil {
		return 0
	}
	return len(s.u.seen)
}

// check compares what both ends have got with what was sent.
func (s *played) check() {
	if s.picked() == 0 || s.u == nil {
		return
	}
	s.checkUpstream()
	s.checkClient()
	s.k.Reset()
	if len(s.target.done) != 1 {
		s.t.Errorf("the target should be told the end once, and was told %v", s.target.done)
	}
	if len(s.target.done) == 1 && s.left && s.target.done[0].Err != nil && s.target.done[0].Err != pipeline.ErrClosed {
		s.t.Errorf("the upstream has not failed when the client has left, and the target was told %v", s.target.done)
	}
}

// checkUpstream: the upstream has got the whole request, or a beginning of it that it cannot take for one.
func (s *played) checkUpstream() {
	request, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(s.u.seen)))
	if err != nil {
		if !s.left && !s.broken {
			s.t.Errorf("the upstream should get a request, and got %d bytes: %v", len(s.u.seen), err)
		}
		return
	}
	body, err := io.ReadAll(request.Body)
	switch {
	case err == nil && string(body) != s.body, !strings.HasPrefix(s.body, string(body)):
		s.t.Errorf("the upstream should get the %d bytes of the request's body, or be told that there are not all, and got %d, %v", len(s.body), len(body), err)
	case err != nil && !s.left && !s.broken && !s.answered():
		s.t.Errorf("the upstream should get the whole body of a request that nobody has broken off: %v", err)
	}
}

// answered says whether the upstream has said all that it had to say, which may be before it has the request.
func (s *played) answered() bool { return s.answer == "" }

// checkClient: the client has got the whole answer, or a beginning of it that it cannot take for one, or the
// proxy's own.
func (s *played) checkClient() {
	if s.left {
		return
	}
	r := bufio.NewReader(strings.NewReader(s.received.String()))
	method := "GET"
	if s.head {
		method = "HEAD"
	}
	var answer *http.Response
	for answer == nil || answer.StatusCode < 200 {
		var err error
		if answer, err = http.ReadResponse(r, &http.Request{Method: method}); err != nil {
			if !s.broken || !s.k.Ended() {
				s.t.Errorf("the client should get an answer, and got %d bytes: %v", s.received.Len(), err)
			}
			return
		}
	}
	body, err := io.ReadAll(answer.Body)
	switch {
	case answer.StatusCode == http.StatusBadGateway && s.broken:
	case answer.StatusCode != http.StatusOK:
		s.t.Errorf("the client should get the upstream's status, and got %d", answer.StatusCode)
	case err == nil && string(body) != s.content && (s.whole || !s.broken), !strings.HasPrefix(s.content, string(body)):
		s.t.Errorf("the client should get the %d bytes of the answer's body, or see that there are not all, and got %d, %v", len(s.content), len(body), err)
	case err != nil && !s.broken:
		s.t.Errorf("the client should get the whole body of an answer that nobody has broken off: %v", err)
	}
}

// TestSchedules plays exchanges through client, proxy and upstream, each as a seed says. What must be true of all of
// them is checked at both ends; that nothing is left open, by servertest.
func TestSchedules(t *testing.T) {
	begin, count := uint64(1), uint64(250)
	if testing.Short() {
		count = 50
	}
	for seed := begin; seed < begin+count; seed++ {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			s := newPlayed(t, seed)
			s.run()
			s.check()
			s.Advance(time.Second)
		})
	}
}
