package httpcompat

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptrace"
	"net/http/httputil"
	"net/textproto"
	"net/url"
	"strings"
	"testing"
)

// proxy serves httputil.ReverseProxy in front of a backend, and returns its URL.
func proxy(t *testing.T, backend http.HandlerFunc) string {
	t.Helper()
	target, err := url.Parse(reference(t, backend))
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return serve(t, &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target); r.SetXForwarded() },
		Transport: transport,
		ErrorLog:  log.New(io.Discard, "", 0),
	})
}

func TestReverseProxy(t *testing.T) {
	base := proxy(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		w.Header().Set("X-Method", r.Method)
		w.Header().Set("X-Forwarded", r.Header.Get("X-Forwarded-For"))
		w.WriteHeader(209)
		fmt.Fprintf(w, "%s %q %v", r.URL, body, err)
	})
	r, err := http.NewRequest("PUT", base+"/a%20b?q=1", io.MultiReader(strings.NewReader("chunked ")))
	if err != nil {
		t.Fatal(err)
	}
	got := answer(t, client(t), r)
	for _, part := range []string{"209", `X-Method: ["PUT"]`, `X-Forwarded: ["127.0.0.1"]`, `/a%20b?q=1 "chunked " <nil>`} {
		if !strings.Contains(got, part) {
			t.Errorf("the proxied answer should have %q, and is:\n%s", part, got)
		}
	}
}

func TestReverseProxyOfLargeBodies(t *testing.T) {
	base := proxy(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", r.Header.Get("Content-Length"))
		io.Copy(w, r.Body)
	})
	sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<18)
	resp, err := client(t).Post(base, "application/octet-stream", bytes.NewReader(sent))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil || !bytes.Equal(got, sent) {
		t.Errorf("%d bytes should come back unchanged, and %d came with the error %v", len(sent), len(got), err)
	}
}

// An event goes through the proxy at once, though nothing follows it.
func TestReverseProxyOfEvents(t *testing.T) {
	next := make(chan struct{})
	left := make(chan struct{})
	base := proxy(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range 3 {
			fmt.Fprintf(w, "data: %d\n\n", i)
			w.(http.Flusher).Flush()
			<-next
		}
		<-r.Context().Done()
		close(left)
	})
	resp, err := client(t).Get(base)
	if err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(resp.Body)
	for i := range 3 {
		line, err := reader.ReadString('\n')
		if err != nil || line != fmt.Sprintf("data: %d\n", i) {
			t.Fatalf("event %d should come before the next is sent, and %q came with the error %v", i, line, err)
		}
		if _, err := reader.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		next <- struct{}{}
	}
	resp.Body.Close()
	<-left // the client's leaving reaches the backend
}

func TestReverseProxyUpgrades(t *testing.T) {
	base := proxy(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "echo" {
			t.Errorf("the backend should be asked to upgrade, and was sent %v", r.Header)
		}
		c, buffered, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Errorf("the backend's connection: %v", err)
			return
		}
		defer c.Close()
		io.WriteString(buffered, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		buffered.Flush()
		io.Copy(c, buffered)
	})
	r, err := http.NewRequest("GET", base, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("Upgrade", "echo")
	resp, err := client(t).Transport.RoundTrip(r)
	if err != nil || resp.StatusCode != 101 {
		t.Fatalf("the connection should be upgraded through the proxy: %v, %v", resp, err)
	}
	stream := resp.Body.(io.ReadWriteCloser)
	defer stream.Close()
	for i := range 3 {
		line := fmt.Sprintf("line %d", i)
		io.WriteString(stream, line)
		got := make([]byte, len(line))
		if _, err := io.ReadFull(stream, got); err != nil || string(got) != line {
			t.Fatalf("%q should come back, and %q came with the error %v", line, got, err)
		}
	}
}

func TestReverseProxyOfEarlyHintsAndTrailers(t *testing.T) {
	base := proxy(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</a.css>")
		w.WriteHeader(103)
		w.Header().Del("Link")
		w.Header().Set("Trailer", "X-Sum")
		io.WriteString(w, "body")
		w.Header().Set("X-Sum", "9")
	})
	var hints []string
	r, err := http.NewRequest("GET", base, nil)
	if err != nil {
		t.Fatal(err)
	}
	r = r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
		Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
			hints = append(hints, fmt.Sprint(code, h.Get("Link")))
			return nil
		},
	}))
	got := answer(t, client(t), r)
	if fmt.Sprint(hints) != "[103</a.css>]" {
		t.Errorf("the early hints should come through, and are %v", hints)
	}
	if !strings.Contains(got, "map[X-Sum:[9]]") {
		t.Errorf("the trailer should come through, and the answer is:\n%s", got)
	}
}

// A backend that breaks off makes the proxy panic with http.ErrAbortHandler: the client sees the
// answer cut.
func TestReverseProxyOfABackendThatBreaksOff(t *testing.T) {
	base := proxy(t, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, strings.Repeat("x", 100_000))
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	if got := answer(t, client(t), request("GET /").to(t, base)); !strings.Contains(got, "whole false") {
		t.Errorf("the answer should be cut, and is %.200s", got)
	}
}

func TestReverseProxyWithoutABackend(t *testing.T) {
	base := serve(t, &httputil.ReverseProxy{
		Rewrite:  func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: "127.0.0.1:1"}) },
		ErrorLog: log.New(io.Discard, "", 0),
	})
	if got := answer(t, client(t), request("GET /").to(t, base)); !strings.HasPrefix(got, "502 ") {
		t.Errorf("the answer should be 502, and is %s", got)
	}
}
