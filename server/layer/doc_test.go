package layer

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

func TestChainBeginsWithTheOutermost(t *testing.T) {
	var order []string
	named := func(name string) server.Layer {
		return func(next server.Handler) server.Handler {
			return func(r *server.Request) server.Response {
				order = append(order, name)
				return next(r)
			}
		}
	}
	layers := []server.Layer{named("a"), named("b"), named("c")}
	h := Chain(layers...)
	layers[0] = named("not one of them")
	h(greet)(nil)
	if got := strings.Join(order, ""); got != "abc" {
		t.Errorf("the layers were called in the order %q; it should be abc", got)
	}
	if got := Chain()(greet)(nil); got.Status() != 200 {
		t.Error("a chain without layers should leave the handler as it is")
	}
}

// Every layer lets every kind of answer through, and gives those that have fields of its own these.
func TestLayersWorkForEveryKindOfAnswer(t *testing.T) {
	log := NewLogWriter(io.Discard, 1<<10)
	defer func() {
		if err := log.Close(context.Background()); err != nil {
			t.Errorf("the log should close without an error, and gave %v", err)
		}
	}()
	granted := func(*server.Request, string) pipeline.Source[bool] { return pipeline.Once(true) }
	layers := []struct {
		name  string
		layer server.Layer
		field string
	}{
		{"AccessLog", AccessLog(slog.New(slog.NewTextHandler(log, nil))), ""},
		{"CombinedLog", CombinedLog(log), ""},
		{"RequestID", RequestID(), "X-Request-Id"},
		{"CORS", CORS(CORSOptions{Origins: []string{"http://a.test"}}), "Access-Control-Allow-Origin"},
		{"BearerAuth", BearerAuth("test", func(string) bool { return true }), ""},
		{"BearerAuthLater", BearerAuthLater("test", granted), ""},
		{"BodyLimit", BodyLimit(1), ""},
		{"BodyTimeout", BodyTimeout(time.Hour), ""},
		{"WriteTimeout", WriteTimeout(time.Hour), ""},
		{"Timeout", Timeout(time.Hour), ""},
		{"ETag", ETag(), ""},
		{"Recover", Recover(func(*server.Request, any, []byte) server.Response { return server.Empty(500) }), ""},
	}
	for _, l := range layers {
		for _, k := range kinds(t) {
			response, body := ask(t, l.layer(k.answer), request("GET", "Origin: http://a.test", "Authorization: Bearer x"))
			if response.StatusCode != k.status || body != k.body {
				t.Errorf("%s around %s: the answer should be %d and %q, and is %d and %q", l.name, k.name, k.status, k.body, response.StatusCode, body)
			}
			if l.field != "" && len(response.Header.Values(l.field)) != 1 {
				t.Errorf("%s around %s: the answer should have the field %s once, and has %q", l.name, k.name, l.field, response.Header.Values(l.field))
			}
		}
	}
}
