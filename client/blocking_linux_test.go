package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/penstock-go/penstock/parser"
	"github.com/penstock-go/penstock/pipeline"
)

func TestDoContext(t *testing.T) {
	w := newBlockingWorld(t, 0, Options{})
	url := w.serve(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		w.Header().Set("X", r.Header.Get("X"))
		if r.Method == "HEAD" {
			w.Header().Set("Content-Length", "7")
		}
		fmt.Fprintf(w, "%s %s %s %d %s %v", r.Method, r.Host, r.URL, r.ContentLength, body, err)
	})
	host := strings.TrimPrefix(url, "http://")
	for _, c := range []struct {
		request BlockingRequest
		want    string
	}{
		{BlockingRequest{URL: url + "/a?b"}, "GET " + host + " /a?b 0  <nil>"},
		{BlockingRequest{URL: url, Host: "virtual.test"}, "GET virtual.test / 0  <nil>"},
		{BlockingRequest{Method: "HEAD", URL: url}, ""},
		{BlockingRequest{Method: "POST", URL: url}, "POST " + host + " / 0  <nil>"},
		{BlockingRequest{Method: "POST", URL: url, Body: http.NoBody}, "POST " + host + " / 0  <nil>"},
		{BlockingRequest{Method: "POST", URL: url, Body: strings.NewReader("")}, "POST " + host + " / 0  <nil>"},
		{BlockingRequest{Method: "POST", URL: url, Body: strings.NewReader("abc")}, "POST " + host + " / 3 abc <nil>"},
		{BlockingRequest{Method: "POST", URL: url, Body: bytes.NewReader([]byte("abc"))}, "POST " + host + " / 3 abc <nil>"},
		{BlockingRequest{Method: "PUT", URL: url, Body: bytes.NewBufferString("abc"), Length: -1}, "PUT " + host + " / -1 abc <nil>"},
		{BlockingRequest{Method: "POST", URL: url, Body: onlyReader{strings.NewReader("abc")}}, "POST " + host + " / -1 abc <nil>"},
		{BlockingRequest{Method: "POST", URL: url, Body: onlyReader{strings.NewReader("abc")}, Length: 3, ExpectContinue: true}, "POST " + host + " / 3 abc <nil>"},
	} {
		c.request.Fields = []parser.Field{{Name: "X", Value: "y"}}
		response, content := w.ask(&c.request)
		if content != c.want || response.Status != 200 || response.Reason != "OK" || response.Fields.Get("x") != "y" || response.URL.Host != host {
			t.Errorf("%s with %T is answered with %d %s %q from %s; %q was expected.",
				c.request.Method, c.request.Body, response.Status, response.Reason, content, response.URL, c.want)
		}
		if want := int64(len(c.want)); response.Length != want {
			t.Errorf("The length of %q is said to be %d.", c.want, response.Length)
		}
	}
}

func TestTrailersBothWays(t *testing.T) {
	w := newBlockingWorld(t, 0, Options{})
	response, content := w.ask(&BlockingRequest{Method: "POST", URL: w.serve(echo), Body: zeros(3),
		Fields:   []parser.Field{{Name: "Trailer", Value: "Digest"}},
		Trailers: func() []parser.Field { return []parser.Field{{Name: "Digest", Value: "d"}} }})
	if got := response.Trailers().Get("digest"); got != "d" || content != "\x00\x00\x00" || response.Length != -1 {
		t.Errorf("The echo is %q of the length %d, and its trailer field %q.", content, response.Length, got)
	}
}

// TestRedirectsAndCookies: a login that sets a cookie and redirects, as users of net/http know it, and a body that is
// sent again.
func TestRedirectsAndCookies(t *testing.T) {
	jar, _ := cookiejar.New(nil)
	w := newBlockingWorld(t, 1, Options{Jar: jar, MaxRedirects: 10})
	other := w.serve(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "other %q %q", r.Header.Get("Authorization"), r.Header.Get("Accept"))
	})
	url := w.serve(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/login":
			http.SetCookie(w, &http.Cookie{Name: "session", Value: "s", Path: "/"})
			http.Redirect(w, r, "/home", http.StatusSeeOther)
		case "/again":
			http.Redirect(w, r, "/home", http.StatusTemporaryRedirect)
		case "/other":
			http.Redirect(w, r, other, http.StatusFound)
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		default:
			body, _ := io.ReadAll(r.Body)
			fmt.Fprintf(w, "%s %s %q", r.Method, r.Header.Get("Cookie"), body)
		}
	})
	for _, c := range []struct {
		path   string
		body   io.Reader
		status int
		want   string
		from   string
	}{
		{"/login", strings.NewReader("name=n"), 200, `GET session=s ""`, url + "/home"},
		{"/again", strings.NewReader("kept"), 200, `POST session=s "kept"`, url + "/home"},
		{"/again", onlyReader{strings.NewReader("stream")}, 307, "", url + "/again"},
		{"/other", nil, 200, `other "" "*/*"`, other},
	} {
		response, content := w.ask(&BlockingRequest{Method: "POST", URL: url + c.path, Body: c.body,
			Fields: []parser.Field{{Name: "Authorization", Value: "Basic eA=="}, {Name: "Accept", Value: "*/*"}}})
		if response.Status != c.status || content != c.want || response.URL.String() != c.from {
			t.Errorf("%s is answered with %d %q from %s; %d %q from %s was expected.", c.path, response.Status, content, response.URL, c.status, c.want, c.from)
		}
	}
	if _, err := w.DoContext(context.Background(), &BlockingRequest{URL: url + "/loop"}); !errors.Is(err, ErrTooManyRedirects) {
		t.Errorf("A loop of redirects ends with %v.", err)
	}
	if _, err := w.DoContext(context.Background(), &BlockingRequest{URL: "https://127.0.0.1/"}); !errors.Is(err, ErrRequest) {
		t.Errorf("A URL of https ends with %v.", err)
	}
}

// TestManyCallers: 100 at a time on two loops, and on the client's own.
func TestManyCallers(t *testing.T) {
	for _, loops := range []int{2, 0} {
		w := newBlockingWorld(t, loops, Options{MaxConnections: 20, Timeouts: Timeouts{Acquire: -1}})
		url := w.serve(echo)
		var callers sync.WaitGroup
		for i := range 100 {
			callers.Go(func() {
				for j := range 5 {
					want := fmt.Sprintf("%d of %d", j, i)
					var body io.Reader = strings.NewReader(want)
					if j%2 == 1 {
						body = onlyReader{body}
					}
					response, err := w.DoContext(context.Background(), &BlockingRequest{Method: "POST", URL: url, Body: body})
					if err != nil {
						t.Errorf("%s fails with %v.", want, err)
						return
					}
					if content, err := io.ReadAll(response.Body); string(content) != want || err != nil {
						t.Errorf("The echo of %q is %q, %v.", want, content, err)
					}
					_ = response.Body.Close()
				}
			})
		}
		callers.Wait()
		if used := len(*w.locals.Load()); used != max(loops, 1) {
			t.Errorf("%d loops were used of %d.", used, max(loops, 1))
		}
	}
}

// TestLargeBodies: 64 MiB there and back take no memory to speak of.
func TestLargeBodies(t *testing.T) {
	const size = 64 << 20
	w := newBlockingWorld(t, 1, Options{})
	url := w.serve(echo)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	response, err := w.DoContext(context.Background(), &BlockingRequest{Method: "POST", URL: url, Body: zeros(size), Length: size})
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if n, err := io.Copy(io.Discard, response.Body); n != size || err != nil {
		t.Errorf("The echo of %d bytes has %d and ends with %v.", size, n, err)
	}
	runtime.ReadMemStats(&after)
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > size/8 {
		t.Errorf("Sending and receiving %d bytes has allocated %d.", size, allocated)
	}
}

// TestNobodyReads: what is not read is not asked for, and Close gives it up.
func TestNobodyReads(t *testing.T) {
	w := newBlockingWorld(t, 1, Options{})
	gone := make(chan struct{})
	url := w.serve(func(w http.ResponseWriter, r *http.Request) {
		defer close(gone)
		for _, err := w.Write(make([]byte, 1<<10)); err == nil; _, err = w.Write(make([]byte, 64<<10)) {
		}
	})
	response, err := w.DoContext(context.Background(), &BlockingRequest{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(response.Body, make([]byte, 100)); err != nil {
		t.Errorf("The first bytes of an endless content fail with %v.", err)
	}
	_ = response.Body.Close()
	if n, err := response.Body.Read(make([]byte, 1)); n != 0 || err != pipeline.ErrClosed {
		t.Errorf("Reading behind Close gives %d bytes and %v; %v was expected.", n, err, pipeline.ErrClosed)
	}
	_ = response.Body.Close()
	<-gone
}
