// Package multipart reads forms with files, multipart/form-data (RFC 7578, RFC 2046), as streams.
//
// [Parts] is a source of parts, and the content of each part is a source of bytes:
//
//	parts := multipart.Parts(r.Body, r.Type(), multipart.Limits{})
//	files := pipeline.Filter(parts, func(p *multipart.Part) bool { return p.File })
//	sizes := pipeline.Flatten(pipeline.Map(files, func(p *multipart.Part) (pipeline.Source[[]byte], error) {
//		return size(p.SafeFileName(), pipeline.Limit(p.Body, 1<<20)), nil // no file of more than 1 MiB
//	}))
//	return server.Stream(200, "text/plain", sizes)
//
// The example of the package is this whole.
//
// Nothing is read before it is asked for, and nothing is kept but the head of a part and as many bytes as a boundary
// has. [pipeline.CopyTo] writes a part to a file. [Form] is for small forms: it gives all of them at once.
//
// # What is refused
//
// The source ends with an error that says what was wrong and has a Status: 415 for another type of content, 400 for
// one that is not well-formed, 413 for one beyond the [Limits]. The total of bytes is bounded by the limit of the
// request's body. Lines end with CRLF; there is no folding of fields, no control character in them, and no field or
// parameter that matters comes twice. So nobody on the way can have understood another form than this package.
//
// A Content-Transfer-Encoding is not undone (RFC 7578, section 4.7), and a filename* parameter is not looked at
// (section 4.2).
package multipart
