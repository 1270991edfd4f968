package server_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// peer is one client, which can be as rude as a test likes. It belongs to one goroutine,
// but for send, which may be called on another one while answers are read.
type peer struct {
	t      testing.TB
	conn   net.Conn
	reader *bufio.Reader
	read   strings.Builder // all that came, when tapped
}

// answer is a response as a peer saw it.
type answer struct {
	status int
	fields http.Header
	close  bool   // it has Connection: close
	body   string // what came of it
	cut    bool   // the body did not end properly
}

// dial connects a peer, which is closed at the end of the test at the latest.
func (s *subject) dial(t testing.TB) *peer {
	t.Helper()
	p := newPeer(t, s.dialRaw(t))
	t.Cleanup(p.close)
	return p
}

func newPeer(t testing.TB, c net.Conn) *peer {
	_ = c.SetDeadline(time.Now().Add(patience))
	return &peer{t: t, conn: c, reader: bufio.NewReader(c)}
}

// tap has everything that comes kept in p.read as it came.
func (p *peer) tap() *peer {
	p.reader = bufio.NewReader(io.TeeReader(p.conn, &p.read))
	return p
}

// send sends input in one write. It returns whether the server took it: one that has
// closed the connection does not, which is no failure here, but must be expected
// elsewhere.
func (p *peer) send(input string) bool {
	_, err := io.WriteString(p.conn, input)
	return err == nil
}

// sendBytewise sends input in writes of one byte. TCP_NODELAY is Go's default.
func (p *peer) sendBytewise(input string) bool {
	for i := range len(input) {
		if _, err := p.conn.Write([]byte{input[i]}); err != nil {
			return false
		}
	}
	return true
}

// sendEndlessly sends input over and over until the server takes no more of it, and
// returns how many bytes it, and the kernels between, have taken.
func (p *peer) sendEndlessly(input string) (taken int64) {
	for {
		n, err := io.WriteString(p.conn, input)
		taken += int64(n)
		if err != nil {
			return taken
		}
	}
}

// closeWrite ends the peer's side with FIN.
func (p *peer) closeWrite() {
	p.t.Helper()
	if err := p.conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		p.t.Fatalf("the peer can close its side: %v", err)
	}
}

// close leaves in order.
func (p *peer) close() { _ = p.conn.Close() }

// reset leaves with RST.
func (p *peer) reset() {
	p.t.Helper()
	if err := p.conn.(*net.TCPConn).SetLinger(0); err != nil {
		p.t.Fatalf("the peer can reset its connection: %v", err)
	}
	p.close()
}

// wantAnswer reads an answer and compares its status.
func (p *peer) wantAnswer(why string, status int) answer {
	p.t.Helper()
	return p.wantAnswerTo("GET", why, status)
}

// wantAnswerTo is wantAnswer for a method that matters for where the answer ends.
func (p *peer) wantAnswerTo(method, why string, status int) answer {
	p.t.Helper()
	a := p.readAnswer(method, why)
	if a.status != status {
		p.t.Fatalf("%s: the answer is %d %q, want %d", why, a.status, a.body, status)
	}
	if a.cut {
		p.t.Fatalf("%s: the answer's body was cut after %d bytes", why, len(a.body))
	}
	return a
}

func (p *peer) readAnswer(method, why string) answer {
	p.t.Helper()
	a, err := p.tryAnswer(method)
	if err != nil {
		p.t.Fatalf("%s: an answer was expected: %v", why, err)
	}
	return a
}

// tryAnswer is readAnswer on any goroutine.
func (p *peer) tryAnswer(method string) (answer, error) {
	r, err := http.ReadResponse(p.reader, &http.Request{Method: method})
	if err != nil {
		return answer{}, err
	}
	body, err := io.ReadAll(r.Body)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return answer{}, err
	}
	return answer{status: r.StatusCode, fields: r.Header, close: r.Close, body: string(body), cut: err != nil}, nil
}

// readPlain reads an answer that must be a 200 with a declared length, quickly, and
// returns its body.
func (p *peer) readPlain(why string) string {
	p.t.Helper()
	length := -1
	for first := true; ; first = false {
		line, err := p.reader.ReadSlice('\n')
		if err != nil || first && string(line) != "HTTP/1.1 200 OK\r\n" {
			p.t.Fatalf("%s: there came %q and the error %v", why, line, err)
		}
		if string(line) == "\r\n" {
			break
		}
		if value, found := bytes.CutPrefix(line, []byte("Content-Length: ")); found {
			length, _ = strconv.Atoi(string(bytes.TrimSpace(value)))
		}
	}
	body := make([]byte, max(length, 0))
	if _, err := io.ReadFull(p.reader, body); err != nil || length < 0 {
		p.t.Fatalf("%s: its body of %d bytes ends with the error %v", why, length, err)
	}
	return string(body)
}

// wantLastAnswer wants an answer with Connection: close, and the end behind it.
func (p *peer) wantLastAnswer(why string, status int) answer {
	p.t.Helper()
	a := p.wantAnswer(why, status)
	if !a.close {
		p.t.Errorf("%s: the answer says Connection: close, not %q", why, a.fields)
	}
	p.wantEnd(why)
	return a
}

// wantCut wants an answer with this status whose body visibly lacks its end.
func (p *peer) wantCut(why string, status int) answer {
	p.t.Helper()
	a := p.readAnswer("GET", why)
	if a.status != status {
		p.t.Fatalf("%s: the answer is %d %q, want %d", why, a.status, a.body, status)
	}
	if !a.cut {
		p.t.Errorf("%s: the answer looks whole, with the body %.80q", why, a.body)
	}
	return a
}

// wantEnd wants the server to have ended its side in order, with nothing before that,
// and then leaves too.
func (p *peer) wantEnd(why string) {
	p.t.Helper()
	rest, err := io.ReadAll(p.reader)
	if err != nil || len(rest) > 0 {
		p.t.Errorf("%s: the connection ends in order, not with %.80q and the error %v", why, rest, err)
	}
	p.close()
}

// wantGone wants the connection to end, in order or by a reset, with nothing before that.
func (p *peer) wantGone(why string) {
	p.t.Helper()
	rest, err := io.ReadAll(p.reader)
	if err != nil && !errors.Is(err, syscall.ECONNRESET) || len(rest) > 0 {
		p.t.Errorf("%s: the connection ends, not with %.80q and the error %v", why, rest, err)
	}
	p.close()
}

// wantNothingMore is wantGone for a client that goes on sending.
func (p *peer) wantNothingMore(why string) {
	p.t.Helper()
	rest, _ := io.ReadAll(p.reader)
	if len(rest) > 0 {
		p.t.Errorf("%s: there came %.80q", why, rest)
	}
}

// wantReset wants the connection to end by RST.
func (p *peer) wantReset(why string) {
	p.t.Helper()
	_, err := io.Copy(io.Discard, p.reader)
	if !errors.Is(err, syscall.ECONNRESET) {
		p.t.Errorf("%s: the connection is reset, instead reading ends with the error %v", why, err)
	}
	p.close()
}
