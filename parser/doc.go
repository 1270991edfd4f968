// Package parser reads HTTP/1.1 messages (RFC 9110, RFC 9112): bytes go in, events
// come out. It knows nothing of sockets, time and goroutines.
//
// A Parser is fed with whatever has arrived and asked for events until it needs more:
//
//	var p parser.Parser
//	p.Init(parser.Request, nil)
//	p.Feed(data)
//	for {
//		switch event, err := p.Next(); {
//		case err != nil:
//			// an *Error, or io.EOF after FeedEOF between two messages
//		case event == parser.NeedData:
//			// read more, then Feed it
//		case event == parser.HeadReady:
//			// p.Head() is complete
//		case event == parser.BodyData:
//			// p.Data() is a part of the content
//		case event == parser.End:
//			// p.Restart() goes on to the next message
//		}
//	}
//
// How the bytes are cut into calls of Feed makes no difference to the events, their
// values and the errors, except that a body may come in other pieces.
//
// # Memory
//
// The head of a message is copied once, into one immutable string; method, target,
// names and values are slices of it and stay valid for as long as anyone keeps them.
// Content is never copied: BodyData lends slices of what was fed. An unfinished head or
// trailer section is kept in a pooled buffer of at most Limits.Head bytes, and a byte
// of it is looked at once however slowly the bytes come. Nothing is ever allocated by
// a declared size.
//
// # Strictness
//
// The parser refuses what two readers of one connection could understand in two ways:
// lines must end in CR LF, lines are never folded, no white space comes before a colon,
// lengths and codings are given once (see framing.go). On top of RFC 9112 it
//
//   - takes every visible ASCII character but '#' in a target, as browsers and command
//     line clients send some that RFC 3986 does not allow, and no byte beyond ASCII;
//   - takes a Content-Length of at most 19 digits;
//   - skips at most 4 empty lines before a request and none before a response;
//   - takes a status line that ends right after the status code;
//   - takes any text as a chunk extension, within Limits.ChunkOverhead, and ignores it;
//   - leaves out trailer fields that must not be trailers (RFC 9110, section 6.5.1).
package parser
