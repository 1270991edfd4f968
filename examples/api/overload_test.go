package main

import (
	"testing"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/server/servertest"
)

// occupy has the one worker of a pool wait until free is called.
func occupy(t *testing.T, pool *loop.Pool) (free func()) {
	t.Helper()
	begun, release := make(chan struct{}), make(chan struct{})
	if err := pool.Submit(func() { close(begun); <-release }); err != nil {
		t.Fatalf("the worker should be free at first: %v", err)
	}
	<-begun
	return func() { close(release) }
}

func wantBusy(t *testing.T, why string, got *servertest.Result) {
	t.Helper()
	problemIn(t, got)
	if got.Field("Retry-After") != "1" {
		t.Errorf("%s should be told when to try again, and was told %q", why, got.Field("Retry-After"))
	}
}

func TestAFullPoolIsA503AndTheOtherGoesOn(t *testing.T) {
	item := `{"name":"Nut","price":1}`
	p := run(t, capacity{reads: 1, exports: 1})
	p.add("Nut")
	free := occupy(t, p.site.readers)
	wantBusy(t, "who reads", p.ask("reading, with all readers busy", servertest.Get("/items/1"), 503))
	wantBusy(t, "who reads", p.ask("a page, with all readers busy", servertest.Get("/items"), 503))
	p.ask("writing meanwhile", put("/items/1", item), 200)
	p.ask("exporting meanwhile", servertest.Get("/items.ndjson"), 200)
	free()
	p.site.readers.Close() // waits until the worker is free
	p.site.readers = loop.NewPool(1, 0)
	p.ask("reading again", servertest.Get("/items/1"), 200)

	free = occupy(t, p.site.writer)
	defer free()
	for _, r := range []servertest.Request{servertest.Post("/items", jsonType, item), put("/items/1", item), servertest.NewRequest("DELETE", "/items/1")} {
		wantBusy(t, "who writes", p.ask("writing, with the writer busy", r, 503))
	}
	got := p.ask("an import, with the writer busy", servertest.Post("/items.ndjson", linesType, lines(3)), 503)
	wantBusy(t, "who imports", got)
	if told := problemIn(t, got); told.Stored == nil || *told.Stored != 0 {
		t.Errorf("an import that was refused should say that nothing is stored, and says %s", got.Body)
	}
	p.ask("reading meanwhile", servertest.Get("/items/1"), 200)
}

// An answer that does not come in time is given up, and what waits for a worker never runs.
func TestAnAnswerThatTakesTooLongIsA503(t *testing.T) {
	p := run(t, capacity{reads: 1, readsWaiting: 1, writesWaiting: 1, exports: 1})
	free := occupy(t, p.site.writer)
	p.client.Send(string(servertest.Post("/items", jsonType, `{"name":"Nut","price":1}`)))
	p.Advance(longestWait - 1)
	if got := p.client.Receive(); got != "" {
		t.Errorf("before the time is over there should be no answer, and there is %q", got)
	}
	p.Advance(1)
	got := p.client.Answer()
	wantBusy(t, "who has waited", got)
	free()
	p.site.writer.Close()
	if there := p.ask("the items", servertest.Get("/items"), 200); got.Status != 503 || there.Body != `{"items":[]}` {
		t.Errorf("what was given up should be answered 503 and not be stored, and was answered %d, there is %s", got.Status, there.Body)
	}
}

// A failure of the database, and a panic on a worker, are told to the log and not to the client.
func TestFaultsOfTheServiceAreKeptFromTheClient(t *testing.T) {
	p := run(t, usual)
	p.add("Nut")
	if _, err := p.site.store.writing.Exec(`ALTER TABLE items RENAME TO hidden`); err != nil {
		t.Fatal(err)
	}
	for _, r := range []servertest.Request{servertest.Get("/items/1"), servertest.Post("/items", jsonType, `{"name":"Nut","price":1}`)} {
		if told := problemIn(t, p.ask("a failure", r, 500)); told.Detail != "" || told.Title != "Internal Server Error" {
			t.Errorf("nothing of a failure should be told, and %+v was", told)
		}
	}
	kept := p.site.store
	p.site.store = nil
	defer func() { p.site.store = kept }()
	if told := problemIn(t, p.ask("a panic", servertest.Get("/items/1"), 500)); told.Detail != "" {
		t.Errorf("nothing of a panic should be told, and %+v was", told)
	}
}
