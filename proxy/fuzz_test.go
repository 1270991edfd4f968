package proxy

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/penstock-go/penstock/client"
	"github.com/penstock-go/penstock/parser"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// understood is what the server has understood of a request.
type understood struct {
	method, target string
	fields         []parser.Field
	body           []byte
	ended          bool
}

// FuzzProxyAgainstNetHTTP: whatever the server takes and the proxy passes on, net/http's server understands
// as this one did, and finds nothing behind it.
func FuzzProxyAgainstNetHTTP(f *testing.F) {
	for _, seed := range []string{
		get,
		"POST /a?b HTTP/1.1\r\nHost: h:81\r\nContent-Length: 3\r\nX: y\r\n\r\nabcGET /next HTTP/1.1\r\nHost: h\r\n\r\n",
		"PUT http://other/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3;e=f\r\nabc\r\n0\r\nX-Sum: 1\r\nHost: evil\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: h\r\nConnection: X-A, keep-alive\r\nX-A: 1\r\nx-a: 2\r\nTE: trailers\r\nKeep-Alive: 5\r\nX_Forwarded_For: 1\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\nHost: h\r\nMax-Forwards: 10\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
		"DELETE /%41%2f/..;a=b HTTP/1.0\r\nContent-Length: 1\r\nContent_Length: 9\r\n\r\nx",
		"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\nContent-Encoding: identity\r\n\r\nab",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, sent []byte) {
		var seen *understood
		o := quiet
		o.KeepHost = true
		o.Rewrite = func(r *server.Request, out *client.Request) error {
			if seen == nil {
				seen = watch(r, out)
			}
			return nil
		}
		c := newChain(t, o, client.Options{Timeouts: client.Timeouts{Continue: 1}})
		k := c.client("")
		k.Send(string(sent))
		c.Advance(1) // for who waits for 100
		k.CloseWrite()
		if seen == nil || c.picked() == 0 {
			return
		}
		u := c.accept()
		u.drain()
		u.offer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		compare(t, seen, u.seen)
		k.Reset()
	})
}

// watch notes what the server has understood, and what goes through the body.
func watch(r *server.Request, out *client.Request) *understood {
	seen := &understood{method: r.Method(), target: originForm(r.Method(), r.Target())}
	for name, value := range r.Fields().All() {
		seen.fields = append(seen.fields, parser.Field{Name: name, Value: value})
	}
	if out.Body == nil {
		seen.ended = true
		return seen
	}
	out.Body = &watched{out.Body, seen}
	return seen
}

// watched is a body that is watched.
type watched struct {
	pipeline.Source[[]byte]
	seen *understood
}

func (b *watched) Poll(w pipeline.Waker) ([]byte, error) {
	chunk, err := b.Source.Poll(w)
	b.seen.body = append(b.seen.body, chunk...)
	b.seen.ended = b.seen.ended || err == io.EOF
	return chunk, err
}

// compare has net/http read what the upstream got.
func compare(t *testing.T, seen *understood, got []byte) {
	t.Helper()
	// net/http takes no trailers that are longer than the reader's buffer.
	r := bufio.NewReaderSize(bytes.NewReader(got), len(got)+1)
	request, err := http.ReadRequest(r)
	if err != nil {
		if !seen.ended && !bytes.Contains(got, []byte("\r\n\r\n")) || excused(seen) {
			return
		}
		t.Fatalf("net/http should take what is passed on, %q: %v", got, err)
	}
	if request.Method != seen.method || request.RequestURI != seen.target {
		t.Errorf("method and target should be %s %s, and net/http has understood %s %s", seen.method, seen.target, request.Method, request.RequestURI)
	}
	body, err := io.ReadAll(request.Body)
	switch {
	case !seen.ended:
		if err == nil {
			t.Errorf("a body that was cut off should be seen to be, and net/http has understood %q", got)
		}
		return
	case err != nil || !bytes.Equal(body, seen.body):
		t.Errorf("the body should be %q, and net/http has understood %q, %v", seen.body, body, err)
	}
	if rest, _ := io.ReadAll(r); len(rest) > 0 {
		t.Errorf("nothing should be behind the request, and net/http has found %q in %q", rest, got)
	}
	compareFields(t, seen, request)
}

// compareFields checks that every field that goes on has come, in its order, and no other.
func compareFields(t *testing.T, seen *understood, request *http.Request) {
	t.Helper()
	var named []string
	for _, f := range seen.fields {
		if strings.EqualFold(f.Name, "Connection") {
			for option := range strings.SplitSeq(f.Value, ",") {
				named = append(named, http.CanonicalHeaderKey(strings.Trim(option, " \t")))
			}
		}
	}
	want := make(http.Header)
	for _, f := range seen.fields {
		key := http.CanonicalHeaderKey(f.Name)
		kind := kindOf(f.Name)
		if slices.Contains(named, key) || kind != fieldPasses && kind != fieldMaxForwards && kind != fieldContentEncoding {
			continue
		}
		want[key] = append(want[key], f.Value)
	}
	if pragma := want["Pragma"]; len(pragma) > 0 && pragma[0] == "no-cache" && want["Cache-Control"] == nil {
		want.Set("Cache-Control", "no-cache") // net/http adds it
	}
	got := request.Header
	for _, key := range []string{"Content-Length", "Connection", "Upgrade", "Expect", "Max-Forwards", "Content-Encoding", "Trailer"} {
		want.Del(key)
		got.Del(key)
	}
	for key := range want {
		if !slices.Equal(want[key], got[key]) {
			t.Errorf("the field %s should have the values %q, and net/http has understood %q", key, want[key], got[key])
		}
	}
	for key := range got {
		if want[key] == nil {
			t.Errorf("there should be no field %s, and net/http has understood %q", key, got[key])
		}
	}
}

// excused says whether net/http refuses what the standard allows: a target that it takes for a broken URL, and
// a Trailer field with names that its list of trailers must not have.
func excused(seen *understood) bool {
	if _, err := url.ParseRequestURI(seen.target); err != nil {
		return true
	}
	return slices.ContainsFunc(seen.fields, func(f parser.Field) bool { return strings.EqualFold(f.Name, "Trailer") })
}
