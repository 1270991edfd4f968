package multipart_test

import (
	"bufio"
	"encoding/json"
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
	"github.com/penstock-go/penstock/server/servertest"
)

// serve serves h until the test ends, and returns its address.
func serve(t *testing.T, h server.Handler) string {
	t.Helper()
	return servertest.Serve(t, h, server.Options{Loops: 1, Strict: true, Logger: slog.New(slog.DiscardHandler)})
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
		{"endless parts", "--b", "\r\n" + disposition + "\r\nx\r\n--b", "The form has more than the 1000 parts allowed."},
		{"an endless line", "--b\r\n" + disposition + "X: ", strings.Repeat("x", 100), "The head of a part is longer than the 8192 bytes allowed."},
		{"endless fields", "--b\r\n" + disposition, "X: y\r\n", "The head of a part is longer than the 8192 bytes allowed."},
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
		if resp.StatusCode != 413 || problemOf(resp, body) != c.want || !resp.Close {
			t.Errorf("%s were answered %d %q, and should be 413 with a problem that says %q, and the connection closed", c.name, resp.StatusCode, body, c.want)
		}
	}
}

// problemOf is what a problem document says (RFC 9457), and of another answer all of it.
func problemOf(resp *http.Response, body []byte) string {
	if resp.Header.Get("Content-Type") != "application/problem+json" {
		return string(body)
	}
	var problem struct{ Detail string }
	if err := json.Unmarshal(body, &problem); err != nil {
		return err.Error()
	}
	return problem.Detail
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
		if err != nil || resp.StatusCode != c.status || problemOf(resp, body) != c.want {
			t.Errorf("%q of the type %q was answered %d %q, and should be %d %q", c.form, c.contentType, resp.StatusCode, body, c.status, c.want)
		}
		if accept := resp.Header.Get("Accept"); (accept == "multipart/form-data") != (c.status == 415) {
			t.Errorf("the answer %d has Accept: %q; a 415 should say which type would be taken, and nothing else", resp.StatusCode, accept)
		}
	}
	http.DefaultClient.CloseIdleConnections()
}
