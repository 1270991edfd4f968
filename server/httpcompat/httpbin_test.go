package httpcompat

import (
	"net/http"
	"testing"

	"github.com/mccutchen/go-httpbin/v2/httpbin"
)

// The whole of a real application, which has a handler for everything that HTTP/1.1 can say.
func TestHTTPBin(t *testing.T) {
	same(t, func() http.Handler { return httpbin.New(httpbin.WithHostname("test"), httpbin.WithMaxBodySize(1<<10)) },
		"GET /", "GET /get?a=1&a=2", "HEAD /get", "HEAD /head", "OPTIONS /get", "GET /nowhere", "DELETE /get",
		"POST /post\nContent-Type: application/x-www-form-urlencoded\n\na=1&b=2",
		"PUT /put\nContent-Type: application/json\n\n{\"a\":1}", "PATCH /patch\n\ntext", "DELETE /delete",
		"POST /anything/here?x=y\n\nbody", "POST /post\n\n"+request(make([]byte, 2<<10)),
		"GET /status/204", "GET /status/304", "GET /status/418", "GET /status/999", "GET /status/abc",
		"GET /absolute-redirect/2", "GET /relative-redirect/2", "GET /redirect-to?url=/get",
		"GET /basic-auth/u/p", "GET /basic-auth/u/p\nAuthorization: Basic dTpw", "GET /bearer", "GET /cookies/set?k=v",
		"GET /cache\nIf-None-Match: x", "GET /etag/abc\nIf-None-Match: \"abc\"",
		"GET /range/100\nRange: bytes=10-19", "GET /bytes/100?seed=1", "GET /stream-bytes/5000?seed=1&chunk_size=100",
		"GET /stream/3", "GET /drip?duration=0&numbytes=5", "GET /trailers?a=1&b=2", "GET /image/png", "GET /encoding/utf8",
		"GET /response-headers?X-A=1&X-A=2", "GET /links/3", "GET /deny", "GET /base64/d2F0ZXI=")
}
