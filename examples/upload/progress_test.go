package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/server"
)

// patience is when a test gives up on what should have come long ago.
const patience = 20 * time.Second

type report struct {
	Received, Total int64
	Ended           bool
}

// follow opens the stream of an upload; next returns its next event.
func (p *running) follow(id string) (next func() report) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	p.t.Cleanup(cancel)
	request, err := http.NewRequestWithContext(ctx, "GET", p.base+"/progress?id="+id, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(request)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { resp.Body.Close() })
	lines := bufio.NewScanner(resp.Body)
	return func() report {
		p.t.Helper()
		for lines.Scan() {
			data, found := strings.CutPrefix(lines.Text(), "data: ")
			if !found {
				continue
			}
			var r report
			if err := json.Unmarshal([]byte(data), &r); err != nil {
				p.t.Fatalf("an event should be JSON, and is %q: %v", data, err)
			}
			return r
		}
		p.t.Fatalf("the stream should go on with an event, and ended with %v", lines.Err())
		return report{}
	}
}

func TestProgressIsFollowed(t *testing.T) {
	p := run(t, 8<<20, server.Options{})
	next := p.follow("mine")
	contentType, content := form("a.bin", strings.Repeat("x", 4<<20))
	if resp, body := p.post("/upload?id=mine", contentType, strings.NewReader(content)); resp.StatusCode != 201 {
		t.Fatalf("the upload was answered %d %q, 201 was expected", resp.StatusCode, body)
	}
	last := report{}
	for !last.Ended {
		r := next()
		if r.Received < last.Received || r.Total != int64(len(content)) {
			t.Errorf("after %+v came %+v: it should grow, up to the length of the body, %d", last, r, len(content))
		}
		last = r
	}
	if last.Received != last.Total {
		t.Errorf("at its end the upload should have come whole, and the last event says %+v", last)
	}
	// Who comes late and while somebody follows gets the latest.
	if late := p.follow("mine")(); late != last {
		t.Errorf("who comes late should get the latest event, %+v, and got %+v", last, late)
	}
}

func TestTopicsOfProgressAreForgotten(t *testing.T) {
	p := newProgress()
	_, first := p.use("a")
	topic, second := p.use("a")
	first()
	if again, third := p.use("a"); again != topic || len(p.topics) != 1 {
		t.Errorf("a topic that is used should stay, and there are %d", len(p.topics))
	} else {
		third()
	}
	second()
	if len(p.topics) != 0 {
		t.Errorf("a topic that nobody uses should be forgotten, and there are %d", len(p.topics))
	}
}

// A client leaves in the middle of its second file: the first is kept, the second removed.
func TestFileIsRemovedWhenItsClientLeaves(t *testing.T) {
	for _, leave := range []string{"reset", "close"} {
		closed := make(chan server.CloseReason, 10)
		p := run(t, 64<<20, server.Options{Loops: 1, Hooks: server.Hooks{Closed: func(r server.CloseReason) { closed <- r }}})
		next := p.follow("mine")
		conn, err := net.Dial("tcp", strings.TrimPrefix(p.base, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		const part = "--b\r\nContent-Disposition: form-data; name=f; filename=%s\r\n\r\n%s\r\n"
		_, err = fmt.Fprintf(conn, "POST /upload?id=mine HTTP/1.1\r\nHost: test\r\nContent-Length: 50000000\r\n"+
			"Content-Type: multipart/form-data; boundary=b\r\n\r\n"+part+part, "first", "one", "second", strings.Repeat("x", 2<<20))
		if err != nil {
			t.Fatal(err)
		}
		for next().Received < 1<<20 { // then the file is there, for nothing is read before
		}
		if parts, _ := filepath.Glob(filepath.Join(p.dir, ".*.part")); len(parts) != 1 {
			t.Errorf("while a file is coming there should be a part of it, and there are %q", parts)
		}
		if leave == "reset" {
			_ = conn.(*net.TCPConn).SetLinger(0)
		}
		conn.Close()
		if reason := <-closed; reason == server.ReasonShutdown {
			t.Errorf("the connection was closed because %v", reason)
		}
		p.stop()
		p.wantFolder("after a "+leave, "first", "one")
	}
}
