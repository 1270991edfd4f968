package server_test

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/penstock-go/penstock/server"
)

// A comparison is one handler and the bytes that a client sends it. Theory: the handler runs under
// net/http's own server and under FromHTTP, and everything that the client can see of the two
// must be the same, but for Date and Server, the order of fields, and where chunks are cut. What the
// handler sees it writes into its answer, so that this is compared too.
type comparison struct {
	name    string
	request string // without a Host line it gets one
	handler http.HandlerFunc
}

func compare(t *testing.T, comparisons []comparison) {
	for _, c := range comparisons {
		t.Run(c.name, func(t *testing.T) {
			request := strings.Replace(strings.ReplaceAll(c.request, "\n", "\r\n"), "\r\n", "\r\nHost: example.org\r\n", 1)
			reference := httptest.NewUnstartedServer(c.handler)
			reference.Config.ErrorLog = log.New(io.Discard, "", 0)
			reference.Start()
			defer reference.Close()
			_, address := start(t, "tcp", "127.0.0.1:0", server.FromHTTP(c.handler), server.Options{})

			want := converse(t, reference.Listener.Addr().String(), request)
			got := converse(t, address, request)
			if got != want {
				t.Errorf("the client should see the same of both servers.\nnet/http:\n%s\nFromHTTP:\n%s", want, got)
			}
		})
	}
}

// converse sends the request, and returns what comes back in a form that can be compared.
func converse(t *testing.T, address, request string) string {
	t.Helper()
	c := dial(t, "tcp", address)
	defer c.Close() // for which the server may wait
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatalf("the request could not be sent: %v", err)
	}
	method, _, _ := strings.Cut(request, " ")
	old := strings.Contains(request, "HTTP/1.0\r\n")
	var seen strings.Builder
	reader := bufio.NewReader(c)
	for {
		resp, err := http.ReadResponse(reader, &http.Request{Method: method})
		if err != nil {
			fmt.Fprintf(&seen, "no answer\n")
			return seen.String()
		}
		final := describe(&seen, resp, old)
		if final {
			if resp.Close || old {
				return seen.String()
			}
			break
		}
	}
	// A connection that stays open must be good for another request.
	if _, err := io.WriteString(c, "GET /again HTTP/1.1\r\nHost: example.org\r\n\r\n"); err != nil {
		return seen.String() + "then closed\n"
	}
	if _, err := http.ReadResponse(reader, nil); err != nil {
		return seen.String() + "then closed\n"
	}
	return seen.String() + "then open\n"
}

// describe writes down what a client sees of a response, and whether it was the final one.
func describe(seen *strings.Builder, resp *http.Response, old bool) (final bool) {
	if resp.StatusCode == http.StatusContinue {
		return false // not sent by a server that has the body already (RFC 9110, section 10.1.1)
	}
	fmt.Fprintf(seen, "%s\n", resp.Status)
	resp.Header.Del("Date")
	resp.Header.Del("Server")
	for _, name := range slices.Sorted(maps.Keys(resp.Header)) {
		if old && name == "Connection" {
			continue // the version in the status line differs, and with it what has to be said
		}
		fmt.Fprintf(seen, "%s: %q\n", name, resp.Header[name])
	}
	if resp.StatusCode < 200 {
		return false
	}
	body, err := io.ReadAll(resp.Body)
	fmt.Fprintf(seen, "length %d, coding %v, body %q, whole %t\n", resp.ContentLength, resp.TransferEncoding, body, err == nil)
	for _, name := range slices.Sorted(maps.Keys(resp.Trailer)) {
		fmt.Fprintf(seen, "trailer %s: %q\n", name, resp.Trailer[name])
	}
	if !old {
		fmt.Fprintf(seen, "closes %t\n", resp.Close)
	}
	return true
}
