package layer

import (
	"context"
	"strings"
	"testing"

	"github.com/penstock-go/penstock/server"
)

func TestRequestIDTakesOnlyWhatIsFitForALog(t *testing.T) {
	for _, c := range []struct {
		why    string
		fields []string
		kept   string // "" for a new one
	}{
		{"a client's own", []string{"X-Request-ID: abc-123"}, "abc-123"},
		{"the longest", []string{"X-Request-ID: " + strings.Repeat("x", 128)}, strings.Repeat("x", 128)},
		{"none", nil, ""},
		{"an empty one", []string{"X-Request-ID:"}, ""},
		{"too long", []string{"X-Request-ID: " + strings.Repeat("x", 129)}, ""},
		{"with a space", []string{"X-Request-ID: a b"}, ""},
		{"with a tab", []string{"X-Request-ID: a\tb"}, ""},
		{"not ASCII", []string{"X-Request-ID: \xc3\xa4"}, ""},
		{"two of them", []string{"X-Request-ID: a", "X-Request-ID: b"}, ""},
	} {
		seen := ""
		h := RequestID()(func(r *server.Request) server.Response {
			seen = RequestIDOf(r)
			return server.Empty(204)
		})
		response, _ := ask(t, h, request("GET", c.fields...))
		sent := response.Header.Get("X-Request-ID")
		if sent != seen {
			t.Errorf("%s: the handler saw the ID %q, and the client %q", c.why, seen, sent)
		}
		if c.kept != "" && sent != c.kept {
			t.Errorf("%s: the ID should be kept, and became %q", c.why, sent)
		}
		if c.kept == "" && (!validRequestID(sent) || len(sent) < 26) {
			t.Errorf("%s: there should be a new ID of 128 bits or more, and it is %q", c.why, sent)
		}
	}
}

func TestRequestIDsDiffer(t *testing.T) {
	first, _ := ask(t, RequestID()(greet), request("GET"))
	second, _ := ask(t, RequestID()(greet), request("GET"))
	if a, b := first.Header.Get("X-Request-ID"), second.Header.Get("X-Request-ID"); a == b {
		t.Errorf("two requests were both given the ID %q", a)
	}
}

// The context of a request with an ID is the one that ends with the exchange, for those that are
// derived from it too.
func TestRequestIDKeepsTheContext(t *testing.T) {
	type key struct{}
	contexts := make(chan context.Context, 2)
	outer := func(next server.Handler) server.Handler {
		return func(r *server.Request) server.Response {
			r.SetContext(context.WithValue(r.Context(), key{}, "outer"))
			return next(r)
		}
	}
	ask(t, Chain(outer, RequestID())(func(r *server.Request) server.Response {
		derived, cancel := context.WithCancel(r.Context())
		context.AfterFunc(derived, cancel)
		contexts <- r.Context()
		contexts <- derived
		return server.Empty(204)
	}), request("GET"))
	for range 2 {
		ctx := <-contexts
		if ctx.Err() == nil {
			t.Error("the context should be cancelled when the exchange has ended")
		}
		if value := ctx.Value(key{}); value != "outer" {
			t.Errorf("the values of an outer layer should be found, and %v was", value)
		}
	}
}

func TestRequestIDOfWithoutTheLayer(t *testing.T) {
	seen := "unset"
	ask(t, func(r *server.Request) server.Response { seen = RequestIDOf(r); return server.Empty(204) }, request("GET"))
	if seen != "" {
		t.Errorf("without the layer a request has no ID, and RequestIDOf says %q", seen)
	}
}
