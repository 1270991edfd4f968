package codec

import (
	"encoding/json"
	"net/netip"
	"reflect"
	"testing"
)

func TestTypesAreToldInTheWordsOfJSON(t *testing.T) {
	for _, c := range []struct {
		of   reflect.Type
		want string
	}{
		{reflect.TypeFor[bool](), "true or false"},
		{reflect.TypeFor[int64](), "an integer from -9223372036854775808 to 9223372036854775807"},
		{reflect.TypeFor[int8](), "an integer from -128 to 127"},
		{reflect.TypeFor[uint64](), "an integer from 0 to 18446744073709551615"},
		{reflect.TypeFor[uint8](), "an integer from 0 to 255"},
		{reflect.TypeFor[float32](), "a number"},
		{reflect.TypeFor[json.Number](), "a number"},
		{reflect.TypeFor[string](), "a string"},
		{reflect.TypeFor[netip.Addr](), "a string"},
		{reflect.TypeFor[[]byte](), "a string in base64"},
		{reflect.TypeFor[[2]byte](), "an array"},
		{reflect.TypeFor[[]int](), "an array"},
		{reflect.TypeFor[map[string]int](), "an object"},
		{reflect.TypeFor[struct{}](), "an object"},
		{reflect.TypeFor[**int8](), "an integer from -128 to 127"},
		{reflect.TypeFor[chan int](), "another value"},
	} {
		if got := expected(c.of); got != c.want {
			t.Errorf("a value of type %v is told as %q; it should be %q", c.of, got, c.want)
		}
	}
}

func TestValuesAreToldWithTheirArticle(t *testing.T) {
	for value, want := range map[string]string{
		"null": "null", "bool": "true or false", "string": "a string", "number": "a number", "number 7": "the number 7",
		"number x": "a string", "array": "an array", "object": "an object",
	} {
		if got := article(value); got != want {
			t.Errorf("the value %q of encoding/json is told as %q; it should be %q", value, got, want)
		}
	}
}
