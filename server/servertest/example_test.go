package servertest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
	"github.com/penstock-go/penstock/server/servertest"
)

// run runs a test, and prints how it fails. A test of your own is a function Test with a
// *testing.T.
func run(test func(t testing.TB)) {
	for _, failure := range watch(test) {
		fmt.Println("FAIL:", failure)
	}
}

// greet is a handler that is there when it is called.
func greet(r *server.Request) server.Response {
	return server.Text(200, "Hello, "+r.Query("name")+"!")
}

func Example() {
	run(func(t testing.TB) {
		result := servertest.Answer(t, greet, servertest.Get("/?name=you").With("Accept", "text/plain"))
		if result.Status != 200 || result.Body != "Hello, me!" {
			t.Errorf("the greeting should be for me, and is %d %q", result.Status, result.Body)
		}
	})
	// Output:
	// FAIL: the greeting should be for me, and is 200 "Hello, you!"
}

// The request may be written out, and the body of a streamed answer is collected.
func ExampleAnswer() {
	echo := func(r *server.Request) server.Response { return server.Stream(200, r.Type(), r.Body) }
	run(func(t testing.TB) {
		result := servertest.Answer(t, echo, "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\nContent-Type: text/x\r\n\r\nfirst")
		fmt.Println(result.Status, result.Field("Content-Type"), result.Body)
	})
	// Output:
	// 200 text/x first
}

// Time goes by when the test says so.
func ExampleServer_Advance() {
	late := func(r *server.Request) server.Response {
		return server.Later(pipeline.Map(r.After(time.Hour), func(time.Duration) (server.Response, error) {
			return server.Text(200, "an hour later"), nil
		}))
	}
	run(func(t testing.TB) {
		s := servertest.New(t, late, server.Options{})
		c := s.Client()
		c.Send("GET / HTTP/1.1\r\nHost: test\r\n\r\n")
		s.Advance(time.Hour - time.Millisecond)
		fmt.Printf("%q\n", c.Receive())
		s.Advance(time.Millisecond)
		fmt.Printf("%q\n", c.Answer().Body)
	})
	// Output:
	// ""
	// "an hour later"
}

// What comes from other goroutines is awaited.
func ExampleServer_Await() {
	topic := server.NewTopic(1<<10, pipeline.TopicOptions[server.Event]{})
	news := func(r *server.Request) server.Response {
		return server.Events(topic.Subscribe(r.Loop(), pipeline.Newest))
	}
	run(func(t testing.TB) {
		s := servertest.New(t, news, server.Options{})
		c := s.Client()
		c.Send(string(servertest.Get("/news")))
		go func() {
			if err := topic.Publish(server.Event{Data: "it rains"}); err != nil {
				t.Errorf("the event could not be published: %v", err)
			}
		}()
		got := ""
		s.Await(func() bool {
			got += c.Receive()
			return strings.Contains(got, "\n\n")
		})
		fmt.Println(strings.Contains(got, "data: it rains"))
	})
	// Output:
	// true
}

// Requests may come in pieces, and behind one another.
func ExampleClient_SendCut() {
	run(func(t testing.TB) {
		s := servertest.New(t, greet, server.Options{})
		c := s.Client()
		c.SendCut("GET /?name=A HTTP/1.1\r\nHost: test\r\n\r\nGET /?name=B", 10, 40)
		fmt.Println(c.Answer().Body)
		s.Advance(10 * time.Second)
		slow := c.Answer()
		fmt.Println(slow.Status, slow.Closed)
	})
	// Output:
	// Hello, A!
	// 408 true
}

// What is left open when the test ends fails it.
func ExampleTrack() {
	run(func(t testing.TB) {
		var s *servertest.Server
		s = servertest.New(t, func(*server.Request) server.Response {
			rows := servertest.Track(s, "the rows", pipeline.FromSlice([]string{"first", "second"}))
			first, err := rows.Poll(nil)
			if err != nil {
				return server.Fail(err)
			}
			return server.Text(200, first) // and rows is forgotten
		}, server.Options{})
		fmt.Println(s.Client().Ask(servertest.Get("/")).Body)
	})
	// Output:
	// first
	// FAIL: when the test ended the source "the rows" was not closed
}
