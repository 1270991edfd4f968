package main

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/penstock-go/penstock/server"
	"github.com/penstock-go/penstock/server/servertest"
)

// A running is the service under test: without a socket, and with a clock that stands still.
type running struct {
	*servertest.Server
	t      *testing.T
	site   *site
	client *servertest.Client
}

// run opens the service on a new database, until the test ends.
func run(t *testing.T, c capacity) *running {
	t.Helper()
	kept, err := openStore(filepath.Join(t.TempDir(), "items.db"))
	if err != nil {
		t.Fatal(err)
	}
	site := newSite(kept, slog.New(slog.NewTextHandler(t.Output(), nil)), c)
	t.Cleanup(func() { // behind the check of servertest that nothing is left open
		site.close()
		if err := kept.Close(); err != nil {
			t.Errorf("the database should be closed cleanly: %v", err)
		}
	})
	p := &running{Server: servertest.New(t, site.router().Answer, server.Options{}), t: t, site: site}
	p.client = p.Client()
	return p
}

// ask sends a request and wants its answer to have this status.
func (p *running) ask(why string, r servertest.Request, status int) *servertest.Result {
	p.t.Helper()
	if p.client.Ended() {
		p.client = p.Client()
	}
	got := p.client.Ask(r)
	if got.Status != status || !got.Complete {
		p.t.Fatalf("%s should be answered %d, and was answered %d (complete: %v) %s", why, status, got.Status, got.Complete, got.Body)
	}
	if got.Field("X-Request-ID") == "" {
		p.t.Errorf("%s should be answered with the request's id", why)
	}
	return got
}

// add makes items with these names and returns the last answer.
func (p *running) add(names ...string) (last *servertest.Result) {
	p.t.Helper()
	for _, name := range names {
		last = p.ask("a new item", servertest.Post("/items", "application/json", fmt.Sprintf(`{"name":%q,"price":100}`, name)), 201)
	}
	return last
}

func put(path, body string) servertest.Request {
	return servertest.NewRequest("PUT", path).With("Content-Type", "application/json").WithBody(body)
}

// problem is a problem document, as a client reads it.
type problem struct {
	Title, Detail string
	Status        int
	Stored        *int
	Errors        []server.FieldError
}

// problemIn reads the problem document that an answer must be.
func problemIn(t *testing.T, got *servertest.Result) problem {
	t.Helper()
	var p problem
	if got.Field("Content-Type") != "application/problem+json" {
		t.Errorf("a failure should be answered with a problem document, and came as %q", got.Field("Content-Type"))
	}
	if err := json.Unmarshal([]byte(got.Body), &p); err != nil {
		t.Fatalf("a problem document should be JSON, and is %q: %v", got.Body, err)
	}
	if p.Status != got.Status {
		t.Errorf("the problem document should have the status of the answer, %d, and has %d", got.Status, p.Status)
	}
	return p
}

// wantProblem wants an answer to be a problem document with this detail, and of its errors
// the first with this pointer.
func wantProblem(t *testing.T, why string, got *servertest.Result, detail, pointer string) {
	t.Helper()
	p := problemIn(t, got)
	if !strings.Contains(p.Detail, detail) {
		t.Errorf("%s should be told %q, and was told %q", why, detail, p.Detail)
	}
	first := server.FieldError{}
	if len(p.Errors) > 0 {
		first = p.Errors[0]
	}
	if first.Pointer != pointer {
		t.Errorf("%s should be told of %q first, and was told of %+v", why, pointer, p.Errors)
	}
}
