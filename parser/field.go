package parser

// A Field is one field line of a message that is to be sent: a name and a value (RFC 9110,
// section 5).
type Field struct{ Name, Value string }

// ValidToken reports whether s is a token (RFC 9110, section 5.6.2), as methods and the names of
// fields are.
func ValidToken(s string) bool {
	for i := 0; i < len(s); i++ {
		if classes[s[i]]&classToken == 0 {
			return false
		}
	}
	return s != ""
}

// ValidValue reports whether s can be the value of a field: it has no control character but
// HTAB (RFC 9110, section 5.5).
func ValidValue(s string) bool {
	for i := 0; i < len(s); i++ {
		if classes[s[i]]&classText == 0 {
			return false
		}
	}
	return true
}

// ValidTarget reports whether s has only what a parser takes in a request-target (RFC 9112,
// section 3.2), and is not empty. Its form is not looked at.
func ValidTarget(s string) bool {
	for i := 0; i < len(s); i++ {
		if classes[s[i]]&classTarget == 0 {
			return false
		}
	}
	return s != ""
}
