package codec

import "iter"

// Values are the names and values of a form, in the order in which they were sent. Ranging
// over them gives every one.
type Values []Value

// A Value is one value of a form, with the name that it was sent under.
type Value struct{ Name, Value string }

// Get returns the first value of this name, or "".
func (v Values) Get(name string) string {
	for value := range v.All(name) {
		return value
	}
	return ""
}

// Has says whether there is a value of this name; it may be empty.
func (v Values) Has(name string) bool {
	for range v.All(name) {
		return true
	}
	return false
}

// All gives the values of this name in their order. It looks at every pair, of which there
// are at most as many as [FormLimits] allow.
func (v Values) All(name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, value := range v {
			if value.Name == name && !yield(value.Value) {
				return
			}
		}
	}
}
