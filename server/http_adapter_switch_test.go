package server_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// A handler that hijacks after WriteHeader has its head sent first, as net/http sends it.
func TestFromHTTPSendsTheHeadAheadOfAHijack(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "pipe")
		w.Header().Set("X-Note", " with\r\nlines ")
		w.WriteHeader(http.StatusSwitchingProtocols)
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Errorf("the connection should be handed over, and was not: %v", err)
			return
		}
		defer conn.Close()
		fmt.Fprint(conn, "switched")
	})
	reference := httptest.NewServer(h)
	defer reference.Close()
	adapted, _ := serveHTTP(t, h)
	for name, address := range map[string]string{"net/http": reference.Listener.Addr().String(), "FromHTTP": adapted} {
		c := dial(t, "tcp", address)
		fmt.Fprint(c, rootRequest)
		reader := bufio.NewReader(c)
		resp, err := http.ReadResponse(reader, nil)
		if err != nil {
			t.Fatalf("%s should send the head, and gave %v", name, err)
		}
		if resp.Header.Get("Date") == "" {
			t.Errorf("%s should date the head", name)
		}
		resp.Header.Del("Date")
		if got, want := fmt.Sprintln(resp.Status, resp.Header), "101 Switching Protocols map[Connection:[Upgrade] Upgrade:[pipe] X-Note:[with  lines]]\n"; got != want {
			t.Errorf("%s: the head should be %s, and is %s", name, want, got)
		}
		if rest, err := io.ReadAll(reader); string(rest) != "switched" || err != nil {
			t.Errorf("%s: what follows should be the handler's, and is %q with the error %v", name, rest, err)
		}
	}
}

// A handler may send 100 Continue by itself: then the first Read sends none, and the connection goes on.
func TestFromHTTPHandlerSends100Continue(t *testing.T) {
	address, _ := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusContinue)
		body, err := io.ReadAll(r.Body)
		fmt.Fprint(w, string(body), err)
	})
	c := dial(t, "tcp", address)
	reader := bufio.NewReader(c)
	for _, expectation := range []string{"Expect: 100-continue\r\n", ""} {
		fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: test\r\n%sContent-Length: 2\r\n\r\n", expectation)
		for _, want := range []int{100, 200} {
			resp, err := http.ReadResponse(reader, nil)
			if err != nil || resp.StatusCode != want {
				t.Fatalf("the next response should be %d, and is %v with the error %v", want, resp, err)
			}
			if want == 100 {
				fmt.Fprint(c, "ab")
			} else if body, err := io.ReadAll(resp.Body); err != nil || string(body) != "ab<nil>" {
				t.Errorf("the handler should read the body, and answered %q", body)
			}
		}
	}
}
