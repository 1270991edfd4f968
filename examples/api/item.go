package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/penstock-go/penstock/server"
)

const (
	longestName  = 200            // characters
	highestPrice = 10_000_000_000 // hundredths
	mostStock    = 1_000_000_000
)

// An item is what the store has of one thing. It is a value and shared by nobody.
type item struct {
	ID    int64  `json:"id"`
	Name  string `json:"name"`
	Price int64  `json:"price"` // hundredths
	Stock int64  `json:"stock"`

	version int64 // goes up with each change, from 1
}

// entityTag is the item's ETag: strong, for an item's JSON depends on its version alone. It
// tells the versions of one item apart, and an id is never given twice.
func (i item) entityTag() string { return `"` + strconv.FormatInt(i.version, 10) + `"` }

func (i item) path() string { return "/items/" + strconv.FormatInt(i.ID, 10) }

// A draft is an item as a client sends it.
type draft struct {
	// ID is not looked at: the path says which item is meant. It is there so that what was
	// got can be sent back, and what was exported be imported.
	ID    int64  `json:"id"`
	Name  string `json:"name"`
	Price *int64 `json:"price"` // nil when it was not sent: there is no price that is meant then
	Stock int64  `json:"stock"` // 0 when it was not sent
}

// Validate is called by the codec, which answers what it returns with 422.
func (d draft) Validate() error {
	return errors.Join(d.validateName(), d.validatePrice(), within("#/stock", d.Stock, mostStock))
}

func (d draft) validateName() error {
	wrong := ""
	switch {
	case strings.TrimSpace(d.Name) == "":
		wrong = "The name must be there, and not be empty."
	case utf8.RuneCountInString(d.Name) > longestName:
		wrong = fmt.Sprintf("The name must have at most %d characters.", longestName)
	case strings.ContainsFunc(d.Name, unicode.IsControl):
		wrong = "The name must not have control characters."
	default:
		return nil
	}
	return server.FieldError{Pointer: "#/name", Detail: wrong}
}

func (d draft) validatePrice() error {
	if d.Price == nil {
		return server.FieldError{Pointer: "#/price", Detail: "The price must be there, in hundredths."}
	}
	return within("#/price", *d.Price, highestPrice)
}

func within(pointer string, n, most int64) error {
	if n >= 0 && n <= most {
		return nil
	}
	return server.FieldError{Pointer: pointer, Detail: fmt.Sprintf("The number must be from 0 to %d.", most)}
}
