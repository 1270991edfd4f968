package multipart_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
	"github.com/penstock-go/penstock/server/multipart"
)

// serve serves h until the test ends, and returns its address.
func serve(t *testing.T, h server.Handler) string {
	t.Helper()
	s, err := server.New(h, server.Options{Loops: 1, Strict: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatalf("the server could not be made: %v", err)
	}
	address, err := s.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("the server could not listen: %v", err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve() }()
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // what is still open is cut
		_ = s.Shutdown(ctx)
		if err := <-served; err != nil {
			t.Errorf("Serve should return nil after Shutdown, and returned %v", err)
		}
	})
	return address.String()
}

// names answers with the names of the parts, whose content it does not read.
func names(r *server.Request) server.Response {
	r.SetBodyLimit(-1)
	var all strings.Builder
	each := pipeline.Map(multipart.Parts(r.Body, r.Type(), multipart.Limits{}), func(p *multipart.Part) ([]byte, error) {
		fmt.Fprintf(&all, "%s ", p.Name)
		return nil, nil
	})
	return server.Later(pipeline.Map(pipeline.Collect(each, 0), func([]byte) (server.Response, error) {
		return server.Text(200, all.String()), nil
	}))
}

// HOSTILE 36: parts without end and a line without end are answered 413 while they are still coming.
func TestEndlessFormsAreAnswered413(t *testing.T) {
	address := serve(t, names)
	const disposition = "Content-Disposition: form-data; name=a\r\n"
	for _, c := range []struct{ name, first, repeat, want string }{
		{"endless parts", "--b", "\r\n" + disposition + "\r\nx\r\n--b", "The form has more than the 1000 parts allowed.\n"},
		{"an endless line", "--b\r\n" + disposition + "X: ", strings.Repeat("x", 100), "the head of a part is longer than the 8192 bytes allowed\n"},
		{"endless fields", "--b\r\n" + disposition, "X: y\r\n", "the head of a part is longer than the 8192 bytes allowed\n"},
	} {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
		go func() {
			_, err := fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\nContent-Type: multipart/form-data; boundary=b\r\n\r\n%s", 1<<40, c.first)
			for err == nil {
				_, err = io.WriteString(conn, c.repeat)
			}
		}()
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Errorf("%s were not answered: %v", c.name, err)
			continue
		}
		body, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != 413 || strings.TrimSuffix(string(body), "\n")+"\n" != c.want || !resp.Close {
			t.Errorf("%s were answered %d %q, and should be 413 %q, and the connection closed", c.name, resp.StatusCode, body, c.want)
		}
	}
}

func TestFormsOverASocket(t *testing.T) {
	address := serve(t, names)
	for _, c := range []struct {
		contentType, form string
		status            int
		want              string
	}{
		{"multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=a\r\n\r\none\r\n--b\r\nContent-Disposition: form-data; name=f\r\n\r\n\r\n--b--\r\n", 200, "a f "},
		{"multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=a\r\n\r\none\r\n", 400, "The form has ended before its last boundary."},
		{"multipart/form-data", "--b--", 400, "The Content-Type field must have one valid boundary parameter (RFC 2046, section 5.1.1)."},
		{"text/plain", "--b--", 415, "The content must be multipart/form-data."},
	} {
		resp, err := http.Post("http://"+address, c.contentType, strings.NewReader(c.form))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != c.status || strings.TrimSuffix(string(body), "\n") != c.want {
			t.Errorf("%q of the type %q was answered %d %q, and should be %d %q", c.form, c.contentType, resp.StatusCode, body, c.status, c.want)
		}
	}
	http.DefaultClient.CloseIdleConnections()
}
