package compress_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
	"github.com/penstock-go/penstock/server/compress"
)

// safety bounds a wait for something that must happen.
const safety = 20 * time.Second

// serve serves h until the test ends, and returns its URL and a client that decodes nothing.
func serve(t testing.TB, h server.Handler) (url string, client *http.Client) {
	t.Helper()
	s, err := server.New(h, server.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatalf("the server could not be made: %v", err)
	}
	address, err := s.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("the server could not listen: %v", err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve() }()
	transport := &http.Transport{DisableCompression: true}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // what is still open is cut
		_ = s.Shutdown(ctx)
		if err := <-served; err != nil {
			t.Errorf("Serve should return nil after Shutdown, and returned %v", err)
		}
	})
	return "http://" + address.String(), &http.Client{Transport: transport, Timeout: safety}
}

// ask sends a request and returns the answer with its whole body, as it was sent.
func ask(t testing.TB, client *http.Client, request *http.Request) (*http.Response, []byte) {
	t.Helper()
	answer, err := client.Do(request)
	if err != nil {
		t.Fatalf("the request failed: %v", err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatalf("the answer's body could not be read: %v", err)
	}
	return answer, body
}

func newRequest(t testing.TB, method, url, accept string) *http.Request {
	t.Helper()
	r, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if accept != "" {
		r.Header.Set("Accept-Encoding", accept)
	}
	return r
}

// decode returns what body is in the coding that Content-Encoding names.
func decode(t testing.TB, contentEncoding string, body []byte) string {
	t.Helper()
	var r io.Reader = bytes.NewReader(body)
	var err error
	switch contentEncoding {
	case "gzip":
		r, err = gzip.NewReader(r)
	case "zstd":
		r, err = zstd.NewReader(r)
	}
	if err != nil {
		t.Fatalf("the body is not %s: %v", contentEncoding, err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("the body is not %s to its end: %v", contentEncoding, err)
	}
	return string(plain)
}

var (
	page   = strings.Repeat("<p>Water flows only as fast as the turbine asks for it.</p>\n", 100)
	pieces = func() pipeline.Source[[]byte] {
		return pipeline.FromSlice([][]byte{[]byte(page[:1000]), []byte(page[1000:])})
	}
)

var html = server.Bytes(200, "text/html; charset=utf-8", []byte(page))

func stream(*server.Request) server.Response { return server.Stream(200, "Text/HTML ;x=y", pieces()) }

func events(*server.Request) server.Response {
	return server.Events(pipeline.FromSlice([]server.Event{{Data: page}, {Data: page}}))
}

// constant answers every request with r.
func constant(r server.Response) server.Handler {
	return func(*server.Request) server.Response { return r }
}

var layerCases = []struct {
	name     string
	handler  server.Handler
	accept   string
	encoding string
	vary     string
}{
	{"a page", constant(html), "gzip", "gzip", "Accept-Encoding"},
	{"a page to who takes both", constant(html), "gzip, zstd", "zstd", "Accept-Encoding"},
	{"a page to who prefers gzip", constant(html), "gzip, zstd;q=0.9", "gzip", "Accept-Encoding"},
	{"a page to who takes none", constant(html), "", "", "Accept-Encoding"},
	{"a page to who is malformed", constant(html), "gzip;q=7", "", "Accept-Encoding"},
	{"text", constant(server.Text(200, page)), "gzip", "gzip", "Accept-Encoding"},
	{"JSON", constant(server.JSON(200, []string{page})), "zstd", "zstd", "Accept-Encoding"},
	{"an error page", constant(server.Text(404, page)), "gzip", "gzip", "Accept-Encoding"},
	{"a stream", stream, "zstd, gzip", "gzip", "Accept-Encoding"},
	{"a stream to who takes zstd only", stream, "zstd", "zstd", "Accept-Encoding"},
	{"a stream to who prefers zstd", stream, "zstd, gzip;q=0.9", "zstd", "Accept-Encoding"},
	{"a stream to who takes none", stream, "gzip;q=0, br", "", "Accept-Encoding"},
	{"an event stream to who prefers zstd", events, "zstd, gzip;q=0.1", "gzip", "Accept-Encoding"},
	{"an event stream to who takes zstd only", events, "zstd", "", "Accept-Encoding"},
	{"a stream of declared length", func(r *server.Request) server.Response { return stream(r).Length(int64(len(page))) }, "gzip", "gzip", "Accept-Encoding"},
	{"a response that comes later", func(*server.Request) server.Response { return server.Later(pipeline.Once(html)) }, "gzip", "gzip", "Accept-Encoding"},
	{"a page with a Vary", constant(html.With("Vary", "Origin")), "gzip", "gzip", "Origin, Accept-Encoding"},
	{"a page with the same Vary", constant(html.With("Vary", "origin, accept-encoding")), "gzip", "gzip", "origin, accept-encoding"},
	{"a page that varies with everything", constant(html.With("Vary", "*")), "gzip", "gzip", "*"},
	{"a page with the same Vary in a line before", constant(html.With("Vary", "Accept-Encoding").Add("Vary", "Origin")), "gzip", "gzip", "Accept-Encoding, Origin"},
	{"a page whose Cache-Control has lines", constant(html.With("Cache-Control", "max-age=5").Add("Cache-Control", "public")), "gzip", "gzip", "Accept-Encoding"},

	{"a small text", constant(server.Text(200, page[:1023])), "gzip", "", ""},
	{"a text of the least size", constant(server.Text(200, page[:1024])), "gzip", "gzip", "Accept-Encoding"},
	{"a small stream", func(*server.Request) server.Response {
		return server.Stream(200, "text/plain", pipeline.Once([]byte("small"))).Length(5)
	}, "gzip", "", ""},
	{"a large page", constant(server.Text(200, strings.Repeat("x", 512<<10+1))), "gzip", "", ""},
	{"an image", constant(server.Bytes(200, "image/png", []byte(page))), "gzip", "", ""},
	{"no type", constant(server.Bytes(200, "", []byte(page))), "gzip", "", ""},
	{"a coded page", constant(html.With("Content-Encoding", "br")), "gzip", "br", ""},
	{"a page that must stay as it is", constant(html.With("Cache-Control", "max-age=5, No-Transform")), "gzip", "", ""},
	{"a page that must stay as it is, as a line before says", constant(html.With("Cache-Control", "no-transform").Add("Cache-Control", "max-age=5")), "gzip", "", ""},
	{"a stream that must stay as it is", func(r *server.Request) server.Response { return stream(r).With("Cache-Control", "no-transform") }, "gzip", "", ""},
	{"a part that is streamed", func(*server.Request) server.Response { return server.Stream(206, "text/html", pieces()) }, "gzip", "", ""},
	{"a part", constant(server.Bytes(206, "text/html", []byte(page)).With("Content-Range", "bytes 0-5999/6000")), "gzip", "", ""},
	{"a part that does not say which", constant(server.Bytes(206, "text/html", []byte(page))), "gzip", "", ""},
	{"a page with a range", constant(html.With("Content-Range", "bytes 0-5999/6000")), "gzip", "", ""},
	{"a page with a digest", constant(html.With("Repr-Digest", "sha-256=:x:")), "gzip", "", ""},
	{"a failure", constant(server.Fail(&server.Error{Code: 400, Message: page})), "gzip", "", ""},
}

func TestLayerCodesWhatItShould(t *testing.T) {
	for _, c := range layerCases {
		t.Run(c.name, func(t *testing.T) {
			url, client := serve(t, compress.Layer(compress.Options{})(c.handler))
			answer, body := ask(t, client, newRequest(t, "GET", url, c.accept))
			encoding := answer.Header.Get("Content-Encoding")
			if vary := strings.Join(answer.Header.Values("Vary"), ", "); encoding != c.encoding || vary != c.vary {
				t.Errorf("the answer should have Content-Encoding %q and Vary %q, and has %q and %q", c.encoding, c.vary, encoding, vary)
			}
			plainURL, _ := serve(t, c.handler)
			plainAnswer, plain := ask(t, client, newRequest(t, "GET", plainURL, ""))
			if got := decode(t, encoding, body); got != string(plain) || answer.StatusCode != plainAnswer.StatusCode {
				t.Errorf("decoded, the answer should be what it is without the layer, and is %d, %d bytes", answer.StatusCode, len(got))
			}
			if (c.encoding == "gzip" || c.encoding == "zstd") && len(body) >= len(plain)/2 {
				t.Errorf("of %d bytes few should be left, and %d are", len(plain), len(body))
			}
			if _, streams := c.handler(nil).Streams(); !streams && answer.ContentLength != int64(len(body)) {
				t.Errorf("Content-Length should be the length of what is sent, %d, and is %d", len(body), answer.ContentLength)
			}
			head, _ := ask(t, client, newRequest(t, "HEAD", url, c.accept))
			for _, h := range []http.Header{head.Header, answer.Header} {
				h.Del("Date")
			}
			if got, want := fmt.Sprint(head.Header, head.ContentLength), fmt.Sprint(answer.Header, answer.ContentLength); got != want {
				t.Errorf("HEAD should be answered as GET is, with %s; the answer has %s", want, got)
			}
		})
	}
}

func TestLayerLeavesNoContentAlone(t *testing.T) {
	for name, h := range map[string]server.Handler{
		"a response without content": constant(server.Empty(204).With("Content-Type", "text/html")),
		"a stream without content":   func(*server.Request) server.Response { return server.Stream(204, "text/html", pieces()) },
	} {
		url, client := serve(t, compress.Layer(compress.Options{MinSize: -1})(h))
		answer, body := ask(t, client, newRequest(t, "GET", url, "gzip"))
		if h := answer.Header; answer.StatusCode != 204 || len(body) > 0 || h.Get("Content-Encoding") != "" || h.Get("Vary") != "" {
			t.Errorf("%s should stay as it is, and is %d with %v and %d bytes", name, answer.StatusCode, h, len(body))
		}
	}
}

func TestLayerChangesValidators(t *testing.T) {
	url, client := serve(t, compress.Layer(compress.Options{})(func(r *server.Request) server.Response {
		tag := `"strong"`
		if r.Query("tag") == "weak" {
			tag = `W/"weak"`
		}
		response := server.Text(200, page)
		if r.Query("status") == "304" {
			response = server.Empty(304)
		}
		return response.With("ETag", tag).With("Accept-Ranges", "bytes")
	}))
	for _, c := range []struct{ query, accept, tag, ranges, vary string }{
		{"", "gzip", `W/"strong"`, "none", "Accept-Encoding"},
		{"", "", `"strong"`, "bytes", "Accept-Encoding"},
		{"?tag=weak", "gzip", `W/"weak"`, "none", "Accept-Encoding"},
		{"?status=304", "zstd", `W/"strong"`, "bytes", "Accept-Encoding"},
		{"?status=304", "", `"strong"`, "bytes", ""},
	} {
		answer, _ := ask(t, client, newRequest(t, "GET", url+"/"+c.query, c.accept))
		h := answer.Header
		if h.Get("ETag") != c.tag || h.Get("Accept-Ranges") != c.ranges || h.Get("Vary") != c.vary {
			t.Errorf("for %q and %q the answer should have ETag %s, Accept-Ranges %s and Vary %q, and has %s, %s and %q",
				c.query, c.accept, c.tag, c.ranges, c.vary, h.Get("ETag"), h.Get("Accept-Ranges"), h.Get("Vary"))
		}
	}
}

func TestLayerLeavesABodyThatGetsLonger(t *testing.T) {
	url, client := serve(t, compress.Layer(compress.Options{
		MinSize:      -1,
		Compressible: func(mediaType string) bool { return mediaType == "application/x-own" },
	})(func(r *server.Request) server.Response {
		return server.Bytes(200, "application/x-own", []byte(r.Query("body")))
	}))
	answer, body := ask(t, client, newRequest(t, "GET", url+"/?body=12345", "gzip"))
	if answer.Header.Get("Content-Encoding") != "" || answer.Header.Get("Vary") == "" || len(body) != 5 {
		t.Errorf("a body that a coding makes longer should be sent as it is, with Vary, and came with %v", answer.Header)
	}
}

func ExampleLayer() {
	page := strings.Repeat("Hello, World!\n", 1000)
	hello := func(*server.Request) server.Response { return server.Text(200, page) }
	s, err := server.New(compress.Layer(compress.Options{})(hello), server.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	address, err := s.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve() }()
	answer, err := http.Get("http://" + address.String()) // asks for gzip, and decodes it
	if err != nil {
		fmt.Println(err)
		return
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	fmt.Println(len(body), err, answer.Uncompressed)
	fmt.Println(s.Shutdown(context.Background()), <-served)
	// Output: 14000 <nil> true
	// <nil> <nil>
}
