package codec

import (
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
)

// longestPointer is how long a JSON Pointer in an answer may be: names of members are the
// client's, and may be as long as the content.
const longestPointer = 512

// container is an array or an object that is open at some place.
type container struct {
	isObject bool
	named    bool   // whether the name of its current member has come
	name     []byte // of its current member, as it stands in the text
	index    int    // of its current element
}

// pointerTo returns the JSON Pointer, as a URI fragment (RFC 6901, section 6), of the value
// or the member's name that the byte at offset belongs to. data is well-formed. Of a place
// whose pointer would be too long it returns that of a container around it.
func pointerTo(data []byte, offset int) string {
	var open []container
	for i := 0; i <= offset && i < len(data); {
		top := len(open) - 1
		c := data[i]
		if c == '"' {
			end := stringEnd(data, i)
			if top >= 0 && open[top].isObject && !open[top].named {
				open[top].named, open[top].name = true, data[i:end]
			}
			i = end
			continue
		}
		if i == offset {
			break // a container is what its bracket belongs to
		}
		switch {
		case c == '[' || c == '{':
			open = append(open, container{isObject: c == '{'})
		case top < 0:
		case c == ']' || c == '}':
			open = open[:top]
		case c == ',':
			open[top].index++
			open[top].named = false
		}
		i++
	}
	return fragment(open)
}

// fragment writes the pointer to the place that these containers are open at.
func fragment(open []container) string {
	escape := strings.NewReplacer("~", "~0", "/", "~1")
	pointer := "#"
	for _, c := range open {
		token := strconv.Itoa(c.index)
		if c.isObject {
			if !c.named || json.Unmarshal(c.name, &token) != nil {
				break
			}
			token = escape.Replace(token)
		}
		part := url.URL{Fragment: token}
		token = part.EscapedFragment()
		if len(pointer)+1+len(token) > longestPointer {
			break
		}
		pointer += "/" + token
	}
	return pointer
}
