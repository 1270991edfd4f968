package server_test

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// tell writes down what a handler sees of its request.
func tell(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "%s %s %s %d.%d\n", r.Method, r.RequestURI, r.Proto, r.ProtoMajor, r.ProtoMinor)
	fmt.Fprintf(w, "url %#v host %q close %t\n", *r.URL, r.Host, r.Close)
	tellHeader(w, "header", r.Header)
	fmt.Fprintf(w, "length %d coding %q\n", r.ContentLength, r.TransferEncoding)
	tellHeader(w, "announced", r.Trailer)
	body, err := io.ReadAll(r.Body)
	fmt.Fprintf(w, "body %q error %v\n", body, err)
	tellHeader(w, "trailer", r.Trailer)
	fmt.Fprintf(w, "no body %t, client %t\n", r.Body == http.NoBody, strings.HasPrefix(r.RemoteAddr, "127.0.0.1:"))
	fmt.Fprintf(w, "server %t\n", r.Context().Value(http.ServerContextKey).(*http.Server) != nil)
	fmt.Fprintf(w, "network %s\n", r.Context().Value(http.LocalAddrContextKey).(interface{ Network() string }).Network())
}

func tellHeader(w io.Writer, what string, h http.Header) {
	for _, name := range slices.Sorted(maps.Keys(h)) {
		fmt.Fprintf(w, "%s %s %q\n", what, name, h[name])
	}
}

func TestFromHTTPGivesTheRequestOfNetHTTP(t *testing.T) {
	compare(t, []comparison{
		{"a plain GET", "GET / HTTP/1.1\n\n", tell},
		{"path and query", "GET /a%20b/c%2Fd?x=1&y=%32 HTTP/1.1\n\n", tell},
		{"an empty query", "GET /a? HTTP/1.1\n\n", tell},
		{"two slashes", "GET //a//b HTTP/1.1\n\n", tell},
		{"dots in the path", "GET /a/../b/. HTTP/1.1\n\n", tell},
		{"absolute target", "GET http://other.example/a?b HTTP/1.1\n\n", tell},
		{"fields of one name", "GET / HTTP/1.1\nX-a: 1\nx-A: 2\nX-B:  3 \n\n", tell},
		{"odd field names", "GET / HTTP/1.1\nx_y: 1\nETag: 2\nwww-AUTHENTICATE: 3\nX: \n\n", tell},
		{"a cookie", "GET / HTTP/1.1\nCookie: a=1; b=2\nCookie: c=3\n\n", func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, r.Cookies(), r.UserAgent(), r.Referer())
		}},
		{"Pragma", "GET / HTTP/1.1\nPragma: no-cache\n\n", tell},
		{"Pragma with Cache-Control", "GET / HTTP/1.1\nPragma: no-cache\nCache-Control: max-age=1\n\n", tell},
		{"an unknown method", "BREW /pot HTTP/1.1\n\n", tell},
		{"DELETE with a body", "DELETE / HTTP/1.1\nContent-Length: 2\n\nab", tell},
		{"a body with a length", "POST / HTTP/1.1\nContent-Length: 5\nContent-Type: text/x\n\nhello", tell},
		{"an empty body", "POST / HTTP/1.1\nContent-Length: 0\n\n", tell},
		{"a chunked body", "POST / HTTP/1.1\nTransfer-Encoding: chunked\n\n5\nhello\n1\n!\n0\n\n", tell},
		{"trailers", "POST / HTTP/1.1\nTransfer-Encoding: chunked\nTrailer: X-Sum, x-other\n\n2\nab\n0\nX-Sum: 9\n\n", tell},
		{"trailers not announced", "POST / HTTP/1.1\nTransfer-Encoding: chunked\n\n2\nab\n0\nX-Sum: 9\n\n", tell},
		{"Trailer without chunks", "POST / HTTP/1.1\nTrailer: X-Sum\nContent-Length: 1\n\na", tell},
		{"Connection: close", "GET / HTTP/1.1\nConnection: close\n\n", tell},
		{"HTTP/1.0", "GET / HTTP/1.0\n\n", tell},
		{"HTTP/1.0 that stays", "GET / HTTP/1.0\nConnection: keep-alive\n\n", tell},
	})
}

func TestFromHTTPGivesTheFormsOfNetHTTP(t *testing.T) {
	form := func(w http.ResponseWriter, r *http.Request) {
		err := r.ParseForm()
		fmt.Fprintf(w, "%v %v %v", r.Form, r.PostForm, err)
	}
	multipart := func(w http.ResponseWriter, r *http.Request) {
		err := r.ParseMultipartForm(1 << 20)
		if err != nil {
			fmt.Fprint(w, err)
			return
		}
		file, head, err := r.FormFile("f")
		if err != nil {
			fmt.Fprint(w, err)
			return
		}
		content, err := io.ReadAll(file)
		fmt.Fprintf(w, "%v %q %q %v", r.MultipartForm.Value, head.Filename, content, err)
	}
	const multipartBody = "--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n" +
		"--x\r\nContent-Disposition: form-data; name=f; filename=n.txt\r\n\r\nhello\r\n--x--\r\n"
	compare(t, []comparison{
		{"a form", "POST /?a=0 HTTP/1.1\nContent-Type: application/x-www-form-urlencoded\nContent-Length: 7\n\na=1&b=2", form},
		{"a broken form", "POST / HTTP/1.1\nContent-Type: application/x-www-form-urlencoded\nContent-Length: 5\n\na=%zz", form},
		{"a multipart form", fmt.Sprintf("POST / HTTP/1.1\nContent-Type: multipart/form-data; boundary=x\nContent-Length: %d\n\n", len(multipartBody)) +
			strings.ReplaceAll(multipartBody, "\r\n", "\n"), multipart},
	})
}

func TestFromHTTPReadsBodiesAsNetHTTP(t *testing.T) {
	compare(t, []comparison{
		{"100-continue", "POST / HTTP/1.1\nExpect: 100-continue\nContent-Length: 2\n\nab", func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			fmt.Fprintf(w, "%q %v %q", body, err, r.Header["Expect"])
		}},
		{"100-continue, not wanted", "POST / HTTP/1.1\nExpect: 100-continue\nContent-Length: 2\n\n", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusForbidden)
		}},
		{"reading after Close", "POST / HTTP/1.1\nContent-Length: 5\n\nhello", func(w http.ResponseWriter, r *http.Request) {
			err := r.Body.Close()
			_, readErr := r.Body.Read(make([]byte, 1))
			fmt.Fprint(w, err, readErr)
		}},
		{"a body that nobody reads", "POST / HTTP/1.1\nContent-Length: 5\n\nhello", func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, "done")
		}},
		{"MaxBytesReader", "POST / HTTP/1.1\nConnection: close\nContent-Length: 5\n\nhello", func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 3))
			fmt.Fprintf(w, "%q %v", body, err)
		}},
		{"a pattern", "GET /items/7 HTTP/1.1\n\n", func(w http.ResponseWriter, r *http.Request) {
			mux := http.NewServeMux()
			mux.HandleFunc("GET /items/{id}", func(w http.ResponseWriter, r *http.Request) {
				fmt.Fprint(w, r.PathValue("id"), r.Pattern)
			})
			mux.ServeHTTP(w, r)
		}},
	})
}
