package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"path/filepath"

	"github.com/penstock-go/penstock/server"
	_ "modernc.org/sqlite" // the driver "sqlite", in pure Go
)

// A store is the items in a SQLite database. Its methods block, and may be called on any
// goroutine; a context that ends interrupts what they do.
//
// The database has a write-ahead log: whoever reads sees it as it was when the reading began,
// and neither waits for who writes nor holds that up. As long as an export is open, though,
// the log cannot be begun anew.
type store struct {
	reading   *sql.DB
	exporting *sql.DB // connections of their own: an export holds one for as long as its client likes
	writing   *sql.DB // one connection, since SQLite has one writer at a time
}

// idleConnections is how many connections of each kind are kept for those who come next.
const idleConnections = 8

const schema = `CREATE TABLE IF NOT EXISTS items (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	version INTEGER NOT NULL,
	name TEXT NOT NULL,
	price INTEGER NOT NULL,
	stock INTEGER NOT NULL
) STRICT`

var (
	errMissing = &server.Error{Code: 404, Message: "There is no item with this id."}
	errChanged = &server.Error{Code: 412, Message: "The item is not as the request says that it must be: it was changed, or removed, in between."}
)

// openStore opens the database in file, which it makes if need be.
func openStore(file string) (*store, error) {
	path, err := filepath.Abs(file)
	if err != nil {
		return nil, err
	}
	s := &store{}
	// The writer is the first: it makes the file and the log that the others read.
	if s.writing, err = openDatabase(path, "_txlock=immediate&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)"); err == nil {
		s.writing.SetMaxOpenConns(1)
		_, err = s.writing.Exec(schema)
	}
	if err == nil {
		s.reading, err = openDatabase(path, "_pragma=query_only(1)")
	}
	if err == nil {
		s.exporting, err = openDatabase(path, "_pragma=query_only(1)")
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the database %s could not be opened: %w", file, err), s.Close())
	}
	return s, nil
}

// openDatabase returns a handle of connections to the file path, which have these parameters.
func openDatabase(path, parameters string) (*sql.DB, error) {
	name := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: "_pragma=busy_timeout(5000)&" + parameters}
	database, err := sql.Open("sqlite", name.String())
	if err == nil {
		database.SetMaxIdleConns(idleConnections)
	}
	return database, err
}

// Close closes the database, when what is being read and written has ended.
func (s *store) Close() error {
	var err error
	for _, database := range []*sql.DB{s.exporting, s.reading, s.writing} {
		if database != nil {
			err = errors.Join(err, database.Close())
		}
	}
	return err
}

const columns = `id, version, name, price, stock`

// scan reads the columns of a row.
func scan(row interface{ Scan(...any) error }) (i item, err error) {
	err = row.Scan(&i.ID, &i.version, &i.Name, &i.Price, &i.Stock)
	return i, err
}

// get returns the item with this id, or errMissing.
func (s *store) get(ctx context.Context, id int64) (item, error) {
	return one(s.reading.QueryRowContext(ctx, `SELECT `+columns+` FROM items WHERE id = ?`, id))
}

func one(row *sql.Row) (item, error) {
	i, err := scan(row)
	if errors.Is(err, sql.ErrNoRows) {
		return item{}, errMissing
	}
	return i, err
}

// page returns the first items, at most limit, whose ids are above after, in their order.
func (s *store) page(ctx context.Context, after int64, limit int) ([]item, error) {
	page := []item{} // never nil, which JSON writes as null
	for i, err := range rows(ctx, s.reading, `SELECT `+columns+` FROM items WHERE id > ? ORDER BY id LIMIT ?`, after, limit) {
		if err != nil {
			return nil, err
		}
		page = append(page, i)
	}
	return page, nil
}

// all gives every item, in the order of their ids, as they were when it began. It holds a
// connection until it has ended or was stopped.
func (s *store) all(ctx context.Context) iter.Seq2[item, error] {
	return rows(ctx, s.exporting, `SELECT `+columns+` FROM items ORDER BY id`)
}

// rows gives the items that a query finds, one at a time, from a cursor that is closed when
// they have ended or are wanted no more.
func rows(ctx context.Context, from *sql.DB, query string, arguments ...any) iter.Seq2[item, error] {
	return func(yield func(item, error) bool) {
		cursor, err := from.QueryContext(ctx, query, arguments...)
		if err != nil {
			yield(item{}, err)
			return
		}
		defer cursor.Close() // its error says no more than Err does
		for cursor.Next() {
			i, err := scan(cursor)
			if !yield(i, err) || err != nil {
				return
			}
		}
		if err := cursor.Err(); err != nil {
			yield(item{}, err)
		}
	}
}
