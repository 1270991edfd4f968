// Package servertest tests handlers without a network, without waiting and without a clock
// but the test's. One call runs a handler through the whole protocol and gives what the
// client gets:
//
//	result := servertest.Answer(t, hello, "GET /?name=you HTTP/1.1\r\nHost: test\r\n\r\n")
//	result := servertest.Answer(t, hello, servertest.Get("/?name=you").With("Accept", "text/plain"))
//
// For what takes time or more than one request there is a [Server], which runs on the
// test's goroutine: nothing happens between two calls.
//
//	s := servertest.New(t, handler, server.Options{})
//	c := s.Client()
//	c.SendCut("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 4\r\n\r\nbo", 3, 40)
//	s.Advance(20 * time.Second) // the body has come too slowly
//	got := c.Receive()
//
// The examples of the package are whole tests.
//
// # What is left open
//
// When the test ends its clients leave, and then nothing may be left: it is an error if a
// connection or another socket is open, a request not finished, a timer armed, a task
// scheduled, a source that was given to [Track] not closed, or a goroutine running that was
// started on the loop, by a handler or by a stage. Each is named. A test that has failed
// already is not checked.
//
// # Goroutines
//
// A Server belongs to the test's goroutine: its methods, and those of its clients, are
// called there, and so handlers and stages run there. Work on other goroutines comes back
// by a post to the loop, as in a server; [Server.Await] waits for that, and so do
// [Answer] and [Client.Ask].
package servertest
