package client

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/pipeline"
)

// Do returns the response to a request as a source of one value, and then io.EOF. It is [Upstream.Do] for a request whose
// Target is an absolute http URL, and whose upstream is the one that the URL names. What cannot be asked for fails with
// ErrRequest.
//
// Up to Options.MaxRedirects redirects are followed (RFC 9110, section 15.4): 301, 302 and 303 with GET, or HEAD if it
// was that, and without a body; 307 and 308 with the same method, unless the request has a body, which is there only
// once: then the redirect is the answer. Credentials are left out when a redirect leads to another host or port. A
// short body of a redirect is read to its end, so that its connection can be used again. [Response.URL] says where the
// answer has come from.
//
// With Options.Jar, each of the requests has the cookies that the jar has for its URL, behind those of Fields, and the
// jar is given what each response sets.
//
// Timeouts.Total covers all of it, the other times each request apart. Upstreams that are known only from URLs are
// forgotten when there are more than 1,024; if all of those have connections, a request to another fails with
// ErrPoolFull.
//
// Closing the source before it has given the response cancels the request. Do is called on the goroutine of l, and so
// are the methods of what it returns.
func (c *Client) Do(l *loop.Loop, r *Request) pipeline.Source[*Response] {
	return &following{client: c, loop: l, request: r, ownsBody: r.Body != nil}
}

// parseTarget reads an absolute URL. The sentences show nothing that may be a password.
func parseTarget(target string) (*url.URL, error) {
	scheme, _, found := strings.Cut(target, "://")
	switch {
	case found && strings.EqualFold(scheme, "https"):
		return nil, errors.New("client: the target is to be asked for with TLS (https), which is not supported; only http is")
	case !found || !strings.EqualFold(scheme, "http"):
		return nil, errors.New("client: the target is not an absolute URL that begins with http://")
	}
	u, _, err := resolveLocation(new(url.URL), target)
	if err != nil && !strings.Contains(target, "@") {
		return nil, fmt.Errorf("client: the target %.200q cannot be asked for: %w", target, err)
	}
	if err != nil {
		return nil, fmt.Errorf("client: the target cannot be asked for: %w", err)
	}
	return u, nil
}
