package codec

import (
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"testing"
)

func TestPointerNamesTheValueAtEachByte(t *testing.T) {
	const text = `{"a":[1,{"b c":"],{"},[[]]],"~/":{"":-1.5},"ä%":null}`
	for part, want := range map[string]string{
		`{"a"`: "#", `"a"`: "#/a", `[1`: "#/a", `1,`: "#/a/0", `{"b`: "#/a/1", `"b c"`: "#/a/1/b%20c", `"],{`: "#/a/1/b%20c",
		`[[]]`: "#/a/2", `[]]`: "#/a/2/0", `{"":`: "#/~0~1", `-1.5`: "#/~0~1/", `.5`: "#/~0~1/", `null`: "#/%C3%A4%25",
	} {
		if got := pointerTo([]byte(text), strings.Index(text, part)); got != want {
			t.Errorf("the pointer to %s in %s is %q; it should be %q", part, text, got, want)
		}
	}
}

// Names are the client's, so an answer must not grow with them.
func TestPointerThatWouldBeTooLongNamesWhatIsAround(t *testing.T) {
	text := `{"a":{"` + strings.Repeat("x", longestPointer) + `":{"b":1}}}`
	if got := pointerTo([]byte(text), strings.Index(text, "1")); got != "#/a" {
		t.Errorf("the pointer is %q; #/a, which is short enough, was expected", got)
	}
}

// resolves says whether pointer names something in value (RFC 6901, section 4).
func resolves(value any, pointer string) bool {
	for _, token := range strings.Split(pointer, "/")[1:] {
		token, err := url.PathUnescape(token)
		if err != nil {
			return false
		}
		token = strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
		switch v := value.(type) {
		case map[string]any:
			next, found := v[token]
			if !found {
				return false
			}
			value = next
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i >= len(v) {
				return false
			}
			value = v[i]
		default:
			return false
		}
	}
	return true
}

// FuzzJSONPointer: for each byte of any text there is a pointer that is not too long; for each
// byte of a JSON text it names something.
func FuzzJSONPointer(f *testing.F) {
	f.Add([]byte(`{"a":[1,{"b c":"],{"},[[]]],"~/":{"":-1.5}}`))
	f.Add([]byte(` [ [ ] , { "\u0000\"" : { } } ] `))
	f.Add([]byte(`{"a`))
	f.Fuzz(func(t *testing.T, text []byte) {
		text = text[:min(len(text), 200)]
		for i := range text {
			if pointer := pointerTo(text, i); len(pointer) > longestPointer || pointer[0] != '#' {
				t.Fatalf("the pointer to byte %d of %q is %q", i, text, pointer)
			}
		}
		var value any
		if json.Unmarshal(text, &value) != nil {
			return
		}
		text, _ = json.Marshal(value) // no name comes twice
		for i, c := range text[:min(len(text), 200)] {
			if c == ']' {
				continue // the end of an empty array is where an element would be
			}
			if pointer := pointerTo(text, i); !resolves(value, pointer) {
				t.Fatalf("the pointer to byte %d of %s is %q, which names nothing", i, text, pointer)
			}
		}
	})
}
