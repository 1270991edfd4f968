package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/penstock-go/penstock/server/servertest"
)

const many = 30_000 // rows: far more than a socket holds

// A counter is a database driver that counts the cursors of another, and their rows.
type counter struct {
	driver               driver.Driver
	name                 string
	opened, closed, rows atomic.Int64
	failAt               int64 // the row that cannot be read; 0 for none
}

func (c *counter) Driver() driver.Driver { return c.driver }

func (c *counter) Connect(context.Context) (driver.Conn, error) {
	conn, err := c.driver.Open(c.name)
	return countedConn{conn, c}, err
}

type countedConn struct {
	driver.Conn
	counter *counter
}

func (c countedConn) QueryContext(ctx context.Context, query string, arguments []driver.NamedValue) (driver.Rows, error) {
	rows, err := c.Conn.(driver.QueryerContext).QueryContext(ctx, query, arguments)
	if err != nil {
		return nil, err
	}
	c.counter.opened.Add(1)
	return countedRows{rows, c.counter}, nil
}

type countedRows struct {
	driver.Rows
	counter *counter
}

func (r countedRows) Next(row []driver.Value) error {
	if r.counter.rows.Add(1) == r.counter.failAt {
		return errors.New("the disk has failed")
	}
	return r.Rows.Next(row)
}

func (r countedRows) Close() error {
	r.counter.closed.Add(1)
	return r.Rows.Close()
}

// fill puts a number of items into the database.
func fill(t *testing.T, s *store, count int) {
	t.Helper()
	const insert = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
		INSERT INTO items (version, name, price, stock) SELECT 1, 'item ' || i, i, 0 FROM n`
	if _, err := s.writing.Exec(insert, count); err != nil {
		t.Fatal(err)
	}
}

// runCounted is run on a database of count items, whose exports are counted.
func runCounted(t *testing.T, count int, c capacity) (*running, *counter) {
	t.Helper()
	p := run(t, c)
	fill(t, p.site.store, count)
	var file string
	if err := p.site.store.reading.QueryRow(`SELECT file FROM pragma_database_list`).Scan(&file); err != nil {
		t.Fatal(err)
	}
	counted := &counter{driver: p.site.store.exporting.Driver(), name: "file:" + file}
	if err := p.site.store.exporting.Close(); err != nil {
		t.Fatal(err)
	}
	p.site.store.exporting = sql.OpenDB(counted)
	return p, counted
}

// wantClosed awaits that n cursors have been opened and closed, each once, and that another
// export may be opened in their place.
func (c *counter) wantClosed(p *running, n int64) {
	p.t.Helper()
	p.Await(func() bool { return c.closed.Load() >= n && len(p.site.exports) == 0 })
	p.Await(func() bool { return p.site.store.exporting.Stats().InUse == 0 })
	if opened, closed := c.opened.Load(), c.closed.Load(); opened != n || closed != n {
		p.t.Errorf("%d cursors should have been opened and closed once, and %d were opened, %d closed", n, opened, closed)
	}
}

// Who stops in the middle leaves no cursor open, also when the context goes on.
func TestACursorIsClosedWhenItIsLeft(t *testing.T) {
	p := run(t, usual)
	p.add("a", "b")
	for i, err := range p.site.store.all(context.Background()) {
		if err != nil || i.Name != "a" {
			t.Errorf("the first item should be a, and is %+v (%v)", i, err)
		}
		break
	}
	if open := p.site.store.exporting.Stats().InUse; open != 0 {
		t.Errorf("no connection should be in use behind the loop, and %d are", open)
	}
}

func TestACursorIsClosedAtItsEnd(t *testing.T) {
	p, counted := runCounted(t, 3000, usual)
	if got := p.ask("an export", servertest.Get("/items.ndjson"), 200); strings.Count(got.Body, "\n") != 3000 {
		t.Errorf("an export should have all 3000 items, and has %d", strings.Count(got.Body, "\n"))
	}
	counted.wantClosed(p, 1)
}

// A client that takes nothing has the cursor wait, and one that leaves has it closed: at once
// or with what it was sent unread, between two rows or within one.
func TestACursorIsClosedWhenItsClientLeaves(t *testing.T) {
	p, counted := runCounted(t, many, capacity{reads: 1, exports: 1})
	for i, began := range []int64{0, 1, 100} { // rows: fewer than what lies between the cursor and the client may hold
		before := counted.rows.Load()
		client := p.Client()
		client.Send(string(servertest.Get("/items.ndjson")))
		p.Await(func() bool { return counted.opened.Load() == int64(i+1) && counted.rows.Load() >= before+began })
		client.Reset()
		counted.wantClosed(p, int64(i+1))
		if read := counted.rows.Load() - before; read > many/2 {
			t.Errorf("of %d rows, few should have been read for a client that takes none, and %d were", many, read)
		}
	}
}

// A cursor that fails midway cuts the answer, so that the client sees that it is not whole.
func TestAnExportThatFailsIsCut(t *testing.T) {
	p, counted := runCounted(t, 3000, usual)
	counted.failAt = 2000
	got := p.client.Ask(servertest.Get("/items.ndjson"))
	if got.Status != 200 || got.Complete || !p.client.Ended() {
		t.Errorf("an export that fails midway should be cut, and was answered %d, complete: %v", got.Status, got.Complete)
	}
	counted.wantClosed(p, 1)
}

func TestAsManyExportsAsThereMayBe(t *testing.T) {
	p, counted := runCounted(t, many, capacity{reads: 1, exports: 2})
	first, second := p.Client(), p.Client()
	first.Send(string(servertest.Get("/items.ndjson")))
	second.Send(string(servertest.Get("/items.ndjson")))
	got := p.ask("a third export", servertest.Get("/items.ndjson"), 503)
	wantProblem(t, "a third export", got, "As many exports as there may be are open.", "")
	if got.Field("Retry-After") != "1" {
		t.Errorf("a 503 should say when to try again, and says %q", got.Field("Retry-After"))
	}
	p.ask("another request meanwhile", servertest.Get("/items/1"), 200)
	p.Await(func() bool { return counted.opened.Load() == 2 })
	first.Reset()
	second.Reset()
	counted.wantClosed(p, 2)
	if got := p.ask("HEAD once they have left", servertest.NewRequest("HEAD", "/items.ndjson"), 200); got.Status != 200 {
		t.Errorf("an export should be possible again, and was answered %d", got.Status)
	}
}
