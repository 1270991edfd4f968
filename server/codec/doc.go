// Package codec reads the content of requests and writes that of responses: JSON, lines of
// JSON, forms and CSV.
//
// A handler that wants a value says so in one line; what it answers with comes when the
// content is there:
//
//	func order(r *server.Request) server.Response {
//		return codec.WithJSON(r, func(o Order) server.Response {
//			return server.JSON(201, place(o))
//		})
//	}
//
// The example of the package is this program whole.
//
// The names say what is what. [JSON] and [Form] read a request: they check its Content-Type
// and its length as well. [ReadJSON], [ReadNDJSON] and [ReadForm] are stages from bytes,
// wherever these come from. [WriteNDJSON], [WriteLines] and [WriteCSV] are stages to bytes,
// and [NDJSON] and [CSV] the responses that are made of them. For lines of text see
// pipeline.Lines.
//
// All sources keep the laws of package pipeline. What they have read belongs to the
// receiver for good; chunks of bytes that they write are valid until the next Poll or Close.
//
// # Errors
//
// What is wrong with the content ends the source with a *[server.Problem], and so the client is
// told; only the stages have a *pipeline.LimitError for too many bytes, which [JSON] and [Form]
// make a problem of:
//
//	status  what was wrong
//	400     the content is empty, or is not well-formed: syntax, UTF-8, nesting, data behind the end
//	413     more bytes than the limit, or more pairs of a form
//	415     the Content-Type is another, or malformed, or has a charset other than UTF-8; the field Accept names the right one
//	422     a value has the wrong type, a member is unknown, or Validate has refused it
//
// Every other error is that of the source that was read, unchanged.
package codec
