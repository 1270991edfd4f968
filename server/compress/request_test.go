package compress_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
	"github.com/penstock-go/penstock/server/compress"
)

func gzipped(t testing.TB, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zstandard(t testing.TB, text string) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	return w.EncodeAll([]byte(text), nil)
}

// echo answers with the request's body, which the layer decodes.
func echo(r *server.Request) server.Response {
	if r.Coded() {
		return server.Text(500, "Nobody has said that the body was decoded.")
	}
	if r.Path() == "/deaf" {
		return server.Text(200, "deaf")
	}
	return server.Stream(200, "text/plain", r.Body)
}

func TestRequestLayerDecodesBodies(t *testing.T) {
	const limit = 100_000
	url, client := serve(t, compress.RequestLayer(limit)(echo))
	long := strings.Repeat("x", limit+1)
	for _, c := range []struct {
		name, encoding string
		body           []byte
		status         int
		want           string
	}{
		{"gzip", "gzip", gzipped(t, page), 200, page},
		{"zstd", "ZSTD", zstandard(t, page), 200, page},
		{"x-gzip", "x-gzip", gzipped(t, page), 200, page},
		{"no coding", "", []byte(page), 200, page},
		{"identity", "identity", []byte(page), 200, page},
		{"gzip and identity", "gzip, identity", gzipped(t, page), 200, page},
		{"gzip without a body", "gzip", nil, 200, ""},
		{"just the limit", "gzip", gzipped(t, long[1:]), 200, long[1:]},
		{"another coding", "br", []byte("x"), 415, "The request's content must have no coding, or one of gzip and zstd.\n"},
		{"two codings", "gzip, gzip", []byte("x"), 415, "The request's content must have no coding, or one of gzip and zstd.\n"},
		{"not gzip", "gzip", []byte("Hello, World! Hello!"), 400, "The content is not what its coding, gzip, says: gzip: invalid header.\n"},
		{"half of it", "zstd", zstandard(t, page)[:20], 400, "The content ends before its coding, zstd, is complete.\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, path := range []string{"/", "/deaf"} {
				r, err := http.NewRequest("POST", url+path, bytes.NewReader(c.body))
				if err != nil {
					t.Fatal(err)
				}
				r.Header.Set("Content-Encoding", c.encoding)
				answer, body := ask(t, client, r)
				status, want := c.status, c.want
				if path == "/deaf" && status != 415 {
					status, want = 200, "deaf"
				}
				if answer.StatusCode != status || string(body) != want {
					t.Errorf("the answer at %s should be %d, %.100q, and is %d, %.100q", path, status, want, answer.StatusCode, body)
				}
				if got := answer.Header.Get("Accept-Encoding"); status == 415 && got != "gzip, zstd" {
					t.Errorf("the answer should say which codings there are, and says %q", got)
				}
			}
		})
	}
}

// The limit is found before the answer begins if the handler collects the body.
func TestHostileRequestBombIsAnswered413(t *testing.T) {
	bomb := gzipped(t, strings.Repeat("\x00", 16<<20))
	url, client := serve(t, compress.RequestLayer(1<<20)(collect))
	for _, c := range []struct {
		encoding string
		body     []byte
	}{{"gzip", bomb}, {"zstd", zstandard(t, strings.Repeat("\x00", 16<<20))}} {
		r, err := http.NewRequest("POST", url, bytes.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Encoding", c.encoding)
		answer, body := ask(t, client, r)
		if answer.StatusCode != 413 {
			t.Errorf("16 MiB in %d bytes of %s should be answered with 413, and got %d, %q", len(c.body), c.encoding, answer.StatusCode, body)
		}
	}
}

func TestRequestLayerClosesWhatTheHandlerLeaves(t *testing.T) {
	closed := make(chan struct{})
	h := compress.RequestLayer(1 << 20)(func(r *server.Request) server.Response {
		source := r.Body
		r.OnFinish(func(int, int64) {
			// Behind the layer's own: the body is closed by now.
			if _, err := source.Poll(waker{}); err == nil || err == io.EOF {
				t.Errorf("the decoded body should be closed when the response is finished, and Poll returned %v", err)
			}
			close(closed)
		})
		_, _ = source.Poll(waker{})
		return server.Text(200, "enough")
	})
	url, client := serve(t, h)
	r, err := http.NewRequest("POST", url, bytes.NewReader(gzipped(t, strings.Repeat(page, 10))))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Encoding", "gzip")
	ask(t, client, r)
	<-closed
}

type waker struct{}

func (waker) Wake() {}

func collect(r *server.Request) server.Response {
	return server.Later(pipeline.Map(pipeline.Collect(r.Body, 1<<30), func(b []byte) (server.Response, error) {
		return server.Text(200, strconv.Itoa(len(b))), nil
	}))
}
