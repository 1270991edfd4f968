package proxy

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// HOSTILE 1 and 4, from a raw socket: what could be understood in two ways is answered here, and upstreams see
// nothing of it, nor of what came behind it.
func TestAmbiguousFramingDoesNotPass(t *testing.T) {
	u := record(t, emptyAnswer)
	address := serve(t, One(u.Upstream), Options{})
	for _, c := range []struct{ fields, want string }{
		{"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "400"},
		{"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "400"},
		{"Content-Length: 5\r\nContent-Length: 5\r\n", "400"},
		{"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "400"},
		{"Transfer-Encoding: chunked, gzip\r\n", "400"},
		{"Transfer-Encoding: xchunked\r\n", "400"},
		{"Transfer-Encoding: gzip, chunked\r\n", "501"},
		{"Transfer-Encoding : chunked\r\n", "400"},
		{"Content-Length: 5\r\n Transfer-Encoding: chunked\r\n", "400"},
	} {
		answer := answerTo(t, address, "POST / HTTP/1.1\r\nHost: h\r\n"+c.fields+"\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n")
		if !strings.HasPrefix(answer, "HTTP/1.1 "+c.want+" ") || strings.Count(answer, "HTTP/1.1 ") != 1 {
			t.Errorf("%q should be answered with %s and nothing behind it, and got %q", c.fields, c.want, answer)
		}
	}
	answerTo(t, address, "GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
	if head := u.head(t); !strings.HasPrefix(head, "GET /last ") {
		t.Errorf("nothing of a request that was refused should reach the upstream, which got %q", head)
	}
}

// The same from the other side: a response that could be understood in two ways is none.
func TestSecondAnswerIsNobodys(t *testing.T) {
	connections := make(chan int, 16)
	u := scripted(t, func(c net.Conn, r *bufio.Reader) {
		connections <- 1
		if _, err := readHead(r); err == nil {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirstHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond") // the proxy may have gone
		}
		_, _ = io.Copy(io.Discard, r)
	})
	address := serve(t, One(u), Options{})
	c := dial(t, address)
	r := bufio.NewReader(c)
	for range 3 {
		send(t, c, get)
		answer, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(answer.Body); string(body) != "first" || err != nil {
			t.Errorf("each request should get its own answer, and one got %q, %v", body, err)
		}
		receive(t, connections, "a connection of its own at the upstream, after bytes that nobody has asked for,")
	}
}

// What net/http sends comes back as it was, through both libraries.
func TestBodiesOfEverySizeBothWays(t *testing.T) {
	u := behind(t, func(w http.ResponseWriter, r *http.Request) {
		if err := http.NewResponseController(w).EnableFullDuplex(); err != nil {
			t.Error(err)
		}
		w.Header().Set("Trailer", "X-Sum")
		if r.ContentLength >= 0 {
			w.Header().Set("Content-Length", r.Header.Get("X-Length"))
		}
		_, _ = io.Copy(w, r.Body) // the test sees what is missing
		w.Header().Set("X-Sum", r.Trailer.Get("X-Sum"))
	})
	address := serve(t, One(u), Options{})
	for _, size := range []int{1, 4095, 64 << 10, 300_000, 3 << 20} {
		for _, chunked := range []bool{false, true} {
			body := strings.Repeat("0123456789abcdef", size/16+1)[:size]
			var reader io.Reader = strings.NewReader(body)
			if chunked {
				reader = struct{ io.Reader }{reader}
			}
			request, err := http.NewRequest("POST", "http://"+address+"/", reader)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("X-Length", strconv.Itoa(size))
			if chunked {
				request.Trailer = http.Header{"X-Sum": {"sum"}}
			}
			answer, err := http.DefaultTransport.RoundTrip(request)
			if err != nil {
				t.Fatalf("%d bytes, chunked: %v: %v", size, chunked, err)
			}
			got, err := io.ReadAll(answer.Body)
			answer.Body.Close()
			if err != nil || string(got) != body {
				t.Errorf("%d bytes, chunked: %v, should come back as they were, and %d did: %v", size, chunked, len(got), err)
			}
			if chunked && answer.Trailer.Get("X-Sum") != "sum" {
				t.Errorf("trailers should come back, and %v did", answer.Trailer)
			}
		}
	}
}
