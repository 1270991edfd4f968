package layer

import (
	"iter"
	"net/http"
	"strings"
	"time"

	"github.com/penstock-go/penstock/server"
)

// The conditions of a request (RFC 9110, section 13), as they are for GET and HEAD.

// validators are what a representation is recognised by.
type validators struct {
	tag      string    // an entity-tag, or "" for none
	modified time.Time // zero for none
}

func validatorsOf(tag string, response server.Response) validators {
	v := validators{tag: tag}
	if value, found := response.Field("Last-Modified"); found {
		v.modified, _ = http.ParseTime(value)
	}
	return v
}

// verdict is what the conditions come to.
type verdict uint8

const (
	holds verdict = iota
	notModified
	preconditionFailed
)

// evaluate compares the request's conditions with the validators, in the order of RFC 9110,
// section 13.2.2.
func evaluate(r *server.Request, v validators) verdict {
	fields := r.Fields()
	if _, sent := fields.Lookup("If-Match"); sent {
		if matched, wellFormed := anyTagMatches(fields.Values("If-Match"), v.tag, strongly); wellFormed && !matched {
			return preconditionFailed
		}
	} else if since, found := dateOf(r, "If-Unmodified-Since"); found && v.modified.After(since) {
		return preconditionFailed
	}
	if _, sent := fields.Lookup("If-None-Match"); sent {
		if matched, wellFormed := anyTagMatches(fields.Values("If-None-Match"), v.tag, weakly); wellFormed && matched {
			return notModified
		}
	} else if since, found := dateOf(r, "If-Modified-Since"); found && !v.modified.IsZero() && !v.modified.After(since) {
		return notModified
	}
	return holds
}

// dateOf returns the value of a field that is an HTTP date, and whether it is one and has come
// once.
func dateOf(r *server.Request, name string) (date time.Time, found bool) {
	value, found := single(r, name)
	if !found {
		return time.Time{}, false
	}
	date, err := http.ParseTime(value)
	return date, err == nil
}

// strongly and weakly compare two entity-tags (RFC 9110, section 8.8.3.2).
func strongly(a, b string) bool { return a == b && !strings.HasPrefix(a, "W/") }
func weakly(a, b string) bool {
	return strings.TrimPrefix(a, "W/") == strings.TrimPrefix(b, "W/")
}

// anyTagMatches says whether a list of entity-tags, which may come in several fields, has one
// that is the same as tag, or is "*"; and whether it is well-formed. An empty tag is the same
// as none.
func anyTagMatches(values iter.Seq[string], tag string, same func(a, b string) bool) (matched, wellFormed bool) {
	tags, wildcards := 0, 0
	for rest := range values {
		for {
			rest = strings.TrimLeft(rest, " \t,") // an element of a list may be empty (section 5.6.1.2)
			if rest == "" {
				break
			}
			var one string
			if strings.HasPrefix(rest, wildcard) {
				wildcards++
				one, rest = wildcard, rest[1:]
			} else if one, rest = cutTag(rest); one == "" {
				return false, false
			}
			tags++
			matched = matched || one == wildcard || same(one, tag)
			if rest = strings.TrimLeft(rest, " \t"); rest != "" && rest[0] != ',' {
				return false, false
			}
		}
	}
	return matched, tags > 0 && (wildcards == 0 || tags == 1)
}

// cutTag cuts an entity-tag off the beginning of s; it is "" when there is none (RFC 9110,
// section 8.8.3).
func cutTag(s string) (tag, rest string) {
	begin := 0
	if strings.HasPrefix(s, "W/") {
		begin = 2
	}
	if begin >= len(s) || s[begin] != '"' {
		return "", s
	}
	for i := begin + 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return s[:i+1], s[i+1:]
		case c <= ' ' || c == 0x7f:
			return "", s
		}
	}
	return "", s
}
