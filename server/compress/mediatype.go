package compress

import (
	"strings"

	"github.com/penstock-go/penstock/server"
)

// Compressible says whether content of a media type, in lower case and without parameters,
// is text or something like it, which codings make much shorter: any text, JSON, XML,
// JavaScript, WebAssembly, SVG, and fonts and images that are not compressed themselves.
func Compressible(mediaType string) bool {
	if strings.HasPrefix(mediaType, "text/") || strings.HasSuffix(mediaType, "+json") || strings.HasSuffix(mediaType, "+xml") {
		return true
	}
	switch mediaType {
	case "application/json", "application/x-ndjson", "application/xml", "application/javascript",
		"application/graphql", "application/yaml", "application/toml", "application/wasm",
		"application/x-www-form-urlencoded", "font/ttf", "font/otf", "image/bmp":
		return true
	}
	return false
}

// mediaTypeOf returns the media type of a response's Content-Type (RFC 9110, section 8.3.1)
// as Compressible takes it, or "".
func mediaTypeOf(response server.Response) string {
	contentType, _ := response.Field("Content-Type")
	mediaType, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.Trim(mediaType, " \t"))
}
