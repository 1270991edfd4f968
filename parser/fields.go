package parser

import (
	"iter"
	"slices"
)

// Fields are the field lines of a head or of a trailer section, in the order and
// the case in which they were sent (RFC 9110, section 5). The zero value is empty.
//
// Fields themselves are valid until Restart or Release of the parser they came from.
// The strings that their methods return are valid forever.
type Fields struct {
	raw   string
	spans []span
}

// A span holds the bounds of one field line's name and value in Fields.raw.
type span struct{ nameStart, nameEnd, valueStart, valueEnd uint32 }

// Len returns the number of field lines.
func (f *Fields) Len() int { return len(f.spans) }

// At returns the i-th field line, 0 <= i < Len. The value comes without the white
// space around it.
func (f *Fields) At(i int) (name, value string) {
	s := f.spans[i]
	return f.raw[s.nameStart:s.nameEnd], f.raw[s.valueStart:s.valueEnd]
}

// Get returns the value of the first field line called name in any case, and "" when
// there is none.
func (f *Fields) Get(name string) string {
	value, _ := f.Lookup(name)
	return value
}

// Lookup returns the value of the first field line called name in any case, and
// whether there is one.
func (f *Fields) Lookup(name string) (string, bool) {
	for i := range f.spans {
		if s := &f.spans[i]; s.named(f.raw, name) {
			return f.raw[s.valueStart:s.valueEnd], true
		}
	}
	return "", false
}

// All ranges over the field lines as name and value.
func (f *Fields) All() iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for i := range f.spans {
			if !yield(f.At(i)) {
				return
			}
		}
	}
}

// Values ranges over the values of all field lines called name in any case.
func (f *Fields) Values(name string) iter.Seq[string] {
	return func(yield func(value string) bool) {
		for i := range f.spans {
			s := &f.spans[i]
			if s.named(f.raw, name) && !yield(f.raw[s.valueStart:s.valueEnd]) {
				return
			}
		}
	}
}

// Clone returns a copy that stays valid for ever.
func (f *Fields) Clone() Fields { return Fields{f.raw, slices.Clone(f.spans)} }

func (s *span) named(raw, name string) bool {
	return int(s.nameEnd-s.nameStart) == len(name) && sameName(raw[s.nameStart:s.nameEnd], name)
}

// fieldsKept is how many spans a parser keeps for the next user after Release.
const fieldsKept = 128

// release drops the strings, and the spans when they are unusually many.
func (f *Fields) release() {
	f.raw = ""
	f.spans = f.spans[:0]
	if cap(f.spans) > fieldsKept {
		f.spans = nil
	}
}
