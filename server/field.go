package server

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/penstock-go/penstock/parser"
)

// A Field is one field line of a message: a name and a value (RFC 9110, section
// 5).
type Field = parser.Field

// fieldNode is one field of a response. Nodes are immutable and point to the
// fields set before, so that two responses made from one share them safely.
type fieldNode struct {
	field    Field
	replaces bool
	earlier  *fieldNode
}

// behind returns the fields of n with those of earlier set before them.
func (n *fieldNode) behind(earlier *fieldNode) *fieldNode {
	switch {
	case earlier == nil:
		return n
	case n == nil:
		return earlier
	}
	return &fieldNode{field: n.field, replaces: n.replaces, earlier: n.earlier.behind(earlier)}
}

// appendFields appends the fields that are to be sent to list, first set first.
func appendFields(list []Field, node *fieldNode) []Field {
	for n := node; n != nil; n = n.earlier {
		if !replacedLater(node, n) {
			list = append(list, n.field)
		}
	}
	slices.Reverse(list)
	return list
}

// replacedLater says whether a node between last and node replaces node's field.
func replacedLater(last, node *fieldNode) bool {
	for n := last; n != node; n = n.earlier {
		if n.replaces && strings.EqualFold(n.field.Name, node.field.Name) {
			return true
		}
	}
	return false
}

// checkField returns why a field must not be sent, or nil.
func checkField(f Field) error {
	if !parser.ValidToken(f.Name) {
		return fmt.Errorf("the response's field name %q is not a token (RFC 9110, section 5.1)", f.Name)
	}
	if !parser.ValidValue(f.Value) {
		return fmt.Errorf("the value %q of the response's field %s has a control character", f.Value, f.Name)
	}
	switch len(f.Name) {
	case len("Connection"), len("Content-Length"), len("Transfer-Encoding"):
		for _, name := range [...]string{"Connection", "Content-Length", "Transfer-Encoding"} {
			if strings.EqualFold(f.Name, name) {
				return fmt.Errorf("the response sets the field %s, which belongs to the server", name)
			}
		}
	}
	return nil
}

// checkTrailer returns why a field must not be sent as a trailer, or nil (RFC
// 9110, section 6.5.1).
func checkTrailer(f Field) error {
	if err := checkField(f); err != nil {
		return err
	}
	for _, name := range [...]string{"Content-Type", "Content-Encoding", "Content-Range", "Host", "Trailer", "Set-Cookie", "Date", "Location"} {
		if strings.EqualFold(f.Name, name) {
			return errors.New("the response sends the field " + name + " as a trailer, where it has no meaning")
		}
	}
	return nil
}
