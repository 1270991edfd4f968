// Package client sends HTTP/1.1 requests (RFC 9110, RFC 9112) from event loops, over connections that it keeps.
//
//	c, err := client.New(client.Options{})
//	…
//	reports, err := c.Upstream("http://127.0.0.1:8081")
//	…
//	handler := func(r *server.Request) server.Response {
//		asked := reports.Do(r.Loop(), &client.Request{Target: "/reports/today"})
//		return server.Later(pipeline.Map(asked, func(report *client.Response) (server.Response, error) {
//			return server.Stream(report.Head().Status, "text/csv", report.Body), nil
//		}))
//	}
//
// The response is a source, and so is its body: the next piece is read from the upstream when the last one has gone
// out. The body of a request is a source that is polled as the upstream takes it. Nothing is held in between but what
// the kernel does.
//
// # Three ways to ask
//
//	Upstream.Do       on a loop, of one server, by the path: nothing but what is said is sent, and any answer is the answer
//	Client.Do         on a loop, by an absolute URL: with redirects and cookies, as the Options say
//	Client.DoContext  on any other goroutine: Client.Do with an io.Reader in and an io.ReadCloser out, until a context ends
//
// # Who may call what
//
// Client and Upstream are for any goroutine. Do is called on the goroutine of the loop that it is given, and its
// source, the Response and the bodies belong to that goroutine, as all sources do. What the client calls, it calls
// there: the body of a request, its functions, the jar and the hooks must not block. A Resolver may: it has goroutines
// of its own. DoContext must not be called on a loop.
//
// # Who closes what
//
//	the source that Do returns    who has called Do; before the response has come that cancels the request
//	Response.Body                 who got the response, also when it is not read; before its end that closes the connection
//	Request.Body                  the client, in every case and once
//	the result of Tunnel          who has called Tunnel; what it was given is closed with it
//	BlockingResponse.Body         who has called DoContext
//	BlockingRequest.Body          the client, if it has a method Close
//
// # Errors
//
// A request fails with an [*Error], whose kind says what has happened, and whose method Status what a gateway answers:
//
//	ErrPoolFull          503   nothing was sent
//	ErrAcquireTimeout    503   nothing was sent
//	ErrResolve           502   nothing was sent
//	ErrConnect           502   nothing was sent
//	ErrConnectTimeout    504   nothing was sent
//	ErrClientClosed      503   nothing was sent
//	ErrRequest           500   the request cannot be sent as it is
//	ErrHeadTimeout       504
//	ErrBodyTimeout       504
//	ErrTotalTimeout      504
//	ErrUpstream          502   the connection broke, or the upstream did not speak HTTP
//	ErrTooManyRedirects  502
//
// [NothingSent] tells the first six from the others. What the body of a request ends with comes back unchanged, and the
// upstream sees that the request was cut. A response whose body ends with another error than io.EOF was cut.
//
// # Times
//
// Each part of a request has its own: see [Timeouts]. None runs while the upstream is not waited for: a consumer that
// does not poll, and a body that has nothing to send, are not the upstream's fault. Only Total runs all the time, until
// the response's body has ended.
//
// # Connections
//
// Each loop has connections of its own to each upstream, and Options.MaxConnections bounds all of them together. A
// connection is used again when the request was sent whole, the response was read whole, both sides want it, and
// nothing was sent behind the response. The one that was used last is used first, so that those that are not needed
// grow old and are closed. When an upstream has closed a connection just as the next request is sent, that is sent once
// more on a new one, if nothing has come back, its body was not touched, and either nothing of it was sent or its
// method is idempotent (RFC 9110, section 9.2.2).
//
// A name is resolved away from the loop, and what was found is kept for a while. Its addresses are tried one after the
// other, each a little after the last, IPv6 and IPv4 in turn (RFC 8305).
//
// # What is bounded
//
// The connections of an upstream, the requests that wait for one, the idle ones, the head and the trailers of a response
// (Options.HeadLimits), its informational responses (64), the redirects, the body of one that is read (4 KiB), and the
// upstreams that are known from URLs only (1,024). The length of a body is not: see pipeline.Limit and pipeline.Collect.
//
// # What is not there
//
// TLS, CONNECT, proxies on the way, HTTP/2, and caching. Content codings are passed on as they are.
package client
