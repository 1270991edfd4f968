package layer

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
	"github.com/penstock-go/penstock/server/servertest"
)

// HOSTILE 45: what a program gives to a layer may panic. It costs the exchange and nothing else: the
// next request on the same connection is answered.
func TestPanicsOfWhatLayersCall(t *testing.T) {
	hello := func(*server.Request) server.Response { return server.Text(200, "hello") }
	panics := server.Later(pollFunc(func(pipeline.Waker) (server.Response, error) { panic("as the test wants it") }))
	for why, h := range map[string]server.Handler{
		"a check of passwords": BasicAuth("a", func(string, string) bool { panic("as the test wants it") })(hello),
		"a check of tokens":    BearerAuth("a", func(string) bool { panic("as the test wants it") })(hello),
		"a check that is still to come": BasicAuthLater("a", func(*server.Request, string, string) pipeline.Source[bool] {
			return verdictThatPanics{}
		})(hello),
		"what takes the place of a panic": Recover(func(*server.Request, any, []byte) server.Response {
			panic("again")
		})(func(*server.Request) server.Response { panic("as the test wants it") }),
		"a handler with a time limit":      Timeout(time.Hour)(func(*server.Request) server.Response { return panics }),
		"a handler whose answer is hashed": ETag()(func(*server.Request) server.Response { return panics }),
		"a handler within limits": Chain(BodyLimit(1), BodyTimeout(time.Hour), WriteTimeout(time.Hour))(func(*server.Request) server.Response {
			return panics
		}),
		"a handler that is named": Chain(RequestID(), CORS(CORSOptions{Origins: []string{"*"}}))(func(*server.Request) server.Response { return panics }),
	} {
		t.Run(why, func(t *testing.T) {
			credentials := "Basic YTpi"
			if strings.Contains(why, "tokens") {
				credentials = "Bearer a"
			}
			s := servertest.New(t, h, server.Options{Logger: slog.New(slog.DiscardHandler)})
			c := s.Client()
			for range 2 {
				result := c.Ask(servertest.Get("/").With("Authorization", credentials))
				if result.Status != 500 || strings.Contains(result.Body, "as the test") || strings.Contains(result.Body, "again") {
					t.Fatalf("the answer is %d, %q; a 500 without the text of the panic was expected", result.Status, result.Body)
				}
				if result.Closed {
					c = s.Client()
				}
			}
		})
	}
}

type verdictThatPanics struct{}

func (verdictThatPanics) Poll(pipeline.Waker) (bool, error) { panic("as the test wants it") }

func (verdictThatPanics) Close() {}

// HOSTILE 35: lists without end in the fields that layers read are those of one head, and bounded
// with it; within its bounds they are answered, whatever is in them.
func TestLongListsInFields(t *testing.T) {
	h := Chain(RequestID(), CORS(CORSOptions{Origins: []string{"https://a.example"}}), ETag(),
		BasicAuth("a", func(string, string) bool { return false }))(func(*server.Request) server.Response { return server.Text(200, "hello") })
	for _, c := range []struct {
		name, element string
		status        int
	}{
		{"If-None-Match", `W/"a", `, 401}, {"If-None-Match", `"`, 401}, {"If-Match", `,`, 401},
		{"Access-Control-Request-Headers", "a,", 401}, {"Origin", "https://a.example,", 401},
		{"Authorization", "Basic a", 401}, {"X-Request-Id", "a", 401},
	} {
		for _, length := range []int{4 << 10, 1 << 20} {
			want := c.status
			if length == 1<<20 {
				want = 431
			}
			long := strings.Repeat(c.element, length/len(c.element))
			result := servertest.Answer(t, h, servertest.Get("/").With(c.name, long))
			if result.Status != want {
				t.Errorf("to %d bytes of %.20q in %s the answer is %d, and should be %d", len(long), long, c.name, result.Status, want)
			}
		}
	}
}
