package client

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
)

// web is a client whose connections lead to servers that a test plays: answer says what the server of an address sends
// when it was asked for something. What is behind a "\x00" of that
// comes a step later.
type web struct {
	*fixture
	answer   func(server, head string) string
	answered map[*script]int // bytes of what it was sent
	later    map[*script]string
	heads    []string // of the requests, in their order

	source   pipeline.Source[*Response]
	response *Response
	waker    woken
	got      string
	end      error
}

func newWeb(t testing.TB, o Options, answer func(server, head string) string) *web {
	t.Helper()
	w := &web{fixture: newFixture(t, o), answer: answer, answered: make(map[*script]int), later: make(map[*script]string)}
	t.Cleanup(w.fixture.close)
	return w
}

// redirecting answers with what the path of the target stands for: /301/there redirects there, anything else is the answer.
func redirecting(server, head string) string {
	_, target, _ := strings.Cut(head, " ")
	target, _, _ = strings.Cut(target, " ")
	status, content, more := "200 OK", server+target, ""
	if len(target) > 5 && target[:2] == "/3" {
		status, content, more = target[1:4]+" Moved", "more", "Location: "+target[5:]+"\r\n"
	}
	answer := fmt.Sprintf("HTTP/1.1 %s\r\n%sContent-Length: %d\r\n\r\n", status, more, len(content))
	if strings.HasPrefix(head, "HEAD ") {
		return answer
	}
	return answer + content
}

// begin makes the source for a request.
func (w *web) begin(r *Request) {
	w.source, w.response, w.got, w.end = w.client.Do(w.loop.Loop, r), nil, "", nil
}

// do sends a request and reads the answer to its end.
func (w *web) do(r *Request) {
	w.t.Helper()
	w.begin(r)
	for range 100 {
		if !w.step() {
			w.finish()
			return
		}
	}
	w.t.Fatalf("The request for %s does not come to an end.", r.Target)
}

// step polls as far as that goes, then has a server do one thing. It returns false when the exchange has ended.
func (w *web) step() bool {
	w.t.Helper()
	for w.end == nil {
		if w.response == nil {
			response, err := w.source.Poll(&w.waker)
			if err == pipeline.ErrPending {
				break
			}
			w.response, w.end = response, err
			continue
		}
		chunk, err := w.response.Body.Poll(&w.waker)
		if err == pipeline.ErrPending {
			break
		}
		w.got += string(chunk)
		w.end = err
	}
	w.loop.Settle()
	if w.end == nil {
		w.serve()
	}
	return w.end == nil
}

// serve has connections come about, or else the first server that was asked answer.
func (w *web) serve() {
	for _, s := range w.scripts {
		if s.attempt != nil {
			w.connect()
			return
		}
	}
	for s, rest := range w.later {
		delete(w.later, s)
		if s.closes == 0 {
			w.says(s, rest)
			return
		}
	}
	for _, s := range w.scripts {
		unanswered := s.out[w.answered[s]:]
		if end := bytes.Index(unanswered, []byte("\r\n\r\n")); end >= 0 && s.closes == 0 {
			w.answered[s] = len(s.out)
			head := string(unanswered[:end])
			w.heads = append(w.heads, head)
			w.says(s, w.answer(s.conn.pool.upstream.address, head))
			return
		}
	}
}

func (w *web) says(s *script, answer string) {
	now, rest, more := strings.Cut(answer, "\x00")
	if more {
		w.later[s] = rest
	}
	s.arrives(now)
	w.loop.Settle()
}

// finish closes everything and holds that no call is left.
func (w *web) finish() {
	w.t.Helper()
	w.source.Close()
	if w.response != nil {
		w.response.Close()
	}
	w.loop.Settle()
	for _, s := range w.scripts {
		if s.conn.call != nil || s.closes > 1 {
			w.t.Errorf("The exchange is over, and a connection to %s still has a call (%t), or was closed %d times.",
				s.conn.pool.upstream.address, s.conn.call != nil, s.closes)
		}
	}
}

// asked lists the requests as server, method and target.
func (w *web) asked() string {
	var all []string
	for _, head := range w.heads {
		line, _, _ := strings.Cut(head, " HTTP/1.1")
		all = append(all, hostField(head)+" "+line)
	}
	return strings.Join(all, ", ")
}

func hostField(head string) string { return fieldOf(head, "Host") }

func fieldOf(head, name string) string {
	_, value, _ := strings.Cut(head, "\r\n"+name+": ")
	value, _, _ = strings.Cut(value, "\r\n")
	return value
}

// wants holds what was received.
func (w *web) wants(content string, from string, end error) {
	w.t.Helper()
	url := ""
	if w.response != nil && w.response.URL() != nil {
		url = w.response.URL().String()
	}
	if w.got != content || url != from || w.end != end {
		w.t.Errorf("The answer is %q, comes from %q and ends with %v; %q from %q and %v were expected.", w.got, url, w.end, content, from, end)
	}
}

// listJar is a jar that gives every URL what any has set.
type listJar struct {
	cookies []*http.Cookie
	told    []string // URLs
	inCall  func()
}

func (j *listJar) SetCookies(u *url.URL, cookies []*http.Cookie) {
	j.told = append(j.told, u.String())
	j.cookies = append(j.cookies, cookies...)
	j.called()
}

func (j *listJar) Cookies(*url.URL) []*http.Cookie {
	j.called()
	return j.cookies
}

func (j *listJar) called() {
	if j.inCall != nil {
		j.inCall()
	}
}
