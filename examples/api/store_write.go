package main

import (
	"context"
	"database/sql"
	"fmt"
)

// What changes the database. Each of these is one transaction: it is done or it is not.

const insert = `INSERT INTO items (version, name, price, stock) VALUES (1, ?, ?, ?)`

// create makes an item.
func (s *store) create(ctx context.Context, d draft) (item, error) {
	return scan(s.writing.QueryRowContext(ctx, insert+` RETURNING `+columns, d.Name, *d.Price, d.Stock))
}

// createAll makes an item of each draft, or none.
func (s *store) createAll(ctx context.Context, drafts []draft) error {
	return s.transact(ctx, func(tx *sql.Tx) error {
		statement, err := tx.PrepareContext(ctx, insert)
		if err != nil {
			return err
		}
		defer statement.Close() // it ends with the transaction in any case
		for _, d := range drafts {
			if _, err := statement.ExecContext(ctx, d.Name, *d.Price, d.Stock); err != nil {
				return err
			}
		}
		return nil
	})
}

// replace makes of the item with this id what d says, if c holds of it. The errors are
// errMissing and errChanged.
func (s *store) replace(ctx context.Context, id int64, c condition, d draft) (changed item, err error) {
	err = s.change(ctx, id, c, func(tx *sql.Tx) error {
		const update = `UPDATE items SET version = version + 1, name = ?, price = ?, stock = ? WHERE id = ? RETURNING ` + columns
		changed, err = scan(tx.QueryRowContext(ctx, update, d.Name, *d.Price, d.Stock, id))
		return err
	})
	return changed, err
}

// remove removes the item with this id, if c holds of it. The errors are errMissing and
// errChanged.
func (s *store) remove(ctx context.Context, id int64, c condition) error {
	return s.change(ctx, id, c, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM items WHERE id = ?`, id)
		return err
	})
}

// change calls f if c holds of the item with this id; nobody else changes it in between.
func (s *store) change(ctx context.Context, id int64, c condition, f func(tx *sql.Tx) error) error {
	return s.transact(ctx, func(tx *sql.Tx) error {
		old, err := one(tx.QueryRowContext(ctx, `SELECT `+columns+` FROM items WHERE id = ?`, id))
		switch {
		case err == errMissing && c.needsOne():
			return errChanged // RFC 9110, section 13.1.1
		case err != nil:
			return err
		case !c.holds(old.entityTag()):
			return errChanged
		}
		return f(tx)
	})
}

func (s *store) transact(ctx context.Context, f func(tx *sql.Tx) error) error {
	tx, err := s.writing.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(tx); err != nil {
		if undone := tx.Rollback(); undone != nil && ctx.Err() == nil {
			return fmt.Errorf("%w; and the transaction could not be undone: %v", err, undone)
		}
		return err
	}
	return tx.Commit()
}
