package layer

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/penstock-go/penstock/server"
)

// CORSOptions say which scripts of other origins may read the answers (WHATWG Fetch, section
// 3.3). The zero value allows none.
type CORSOptions struct {
	// Origins are the origins that are allowed, each as a browser sends it, such as
	// "https://example.com" or "http://localhost:8080"; "null" is the origin of documents that
	// have none. "*" allows every origin, to requests without credentials.
	Origins []string

	// AllowOrigin, if not nil, is asked for an origin that is not in Origins. It runs on the
	// loop and must not block. It must not be given together with "*".
	AllowOrigin func(origin string) bool

	// Methods are the methods that are allowed besides GET, HEAD and POST, which always are.
	// Methods are case-sensitive. "*" is every one.
	Methods []string

	// Fields are the names of the request's fields that scripts may set, such as "Content-Type" or
	// "Authorization". "*" is every one but Authorization.
	Fields []string

	// Exposed are the names of the answer's fields that scripts may read, besides the few that they
	// always may. "*" is every one.
	Exposed []string

	// Credentials allows requests that are sent with cookies or HTTP authentication. There
	// must be no "*" in the lists then: Fetch would not take it for what it says.
	Credentials bool

	// MaxAge is how long a browser may remember the answer to a preflight, in whole seconds.
	// 0 leaves it to the browser, which takes 5 seconds; negative has it not remembered.
	MaxAge time.Duration
}

// CORS answers preflights and gives the other answers the fields that let scripts of other origins
// read them (WHATWG Fetch, section 3.3).
//
// A preflight (OPTIONS with Origin and Access-Control-Request-Method) never reaches the
// handler: the answer is 204, or 403 with a sentence that says what is not allowed. Any other request
// does, whatever its origin: what the fields rule is who may read the answer. Where that depends on
// the origin, Vary says so.
//
// It panics when the options contradict themselves or cannot be meant: with "*" beside Credentials or
// AllowOrigin, an origin with a path or in upper case, a method or name that is not a token.
func CORS(o CORSOptions) server.Layer {
	if err := o.check(); err != nil {
		panic(err)
	}
	c := newCORS(o)
	return func(next server.Handler) server.Handler {
		return func(r *server.Request) server.Response {
			origin, hasOrigin := single(r, "Origin")
			if hasOrigin && r.Method() == http.MethodOptions {
				if method, asks := single(r, "Access-Control-Request-Method"); asks {
					return c.preflight(r, origin, method)
				}
			}
			allowed := c.allowed(origin, hasOrigin)
			return next(r).Map(func(response server.Response) server.Response {
				return c.mark(response, allowed)
			})
		}
	}
}

// cors is what CORS needs of its options, in the form in which it is compared and sent.
type cors struct {
	origins     map[string]bool
	allowOrigin func(string) bool
	methods     map[string]bool
	fields      map[string]bool // in lower case
	anyOrigin   bool
	anyMethod   bool
	anyField    bool
	credentials bool
	sendMethods string // values of the fields of the answers, "" to send none
	sendFields  string
	sendExposed string
	sendMaxAge  string
}

func newCORS(o CORSOptions) *cors {
	c := &cors{
		origins: make(map[string]bool), allowOrigin: o.AllowOrigin,
		methods: map[string]bool{http.MethodGet: true, http.MethodHead: true, http.MethodPost: true},
		fields:  make(map[string]bool), credentials: o.Credentials,
		sendMethods: strings.Join(o.Methods, ", "), sendFields: strings.Join(o.Fields, ", "),
		sendExposed: strings.Join(o.Exposed, ", "),
	}
	for _, origin := range o.Origins {
		c.origins[origin] = true
	}
	for _, method := range o.Methods {
		c.methods[method] = true
	}
	for _, name := range o.Fields {
		c.fields[strings.ToLower(name)] = true
	}
	c.anyOrigin, c.anyMethod, c.anyField = c.origins[wildcard], c.methods[wildcard], c.fields[wildcard]
	if o.MaxAge != 0 {
		c.sendMaxAge = strconv.FormatInt(int64(max(o.MaxAge, 0)/time.Second), 10)
	}
	return c
}

// allowed returns what Access-Control-Allow-Origin says, or "" where it is not sent.
func (c *cors) allowed(origin string, hasOrigin bool) string {
	switch {
	case c.anyOrigin:
		return wildcard
	case hasOrigin && (c.origins[origin] || c.allowOrigin != nil && c.allowOrigin(origin)):
		return origin
	}
	return ""
}

// mark gives an answer its fields.
func (c *cors) mark(response server.Response, allowed string) server.Response {
	if !c.anyOrigin {
		response = response.Add("Vary", "Origin") // also where it is not allowed: others may be
	}
	if allowed == "" {
		return response
	}
	response = c.allow(response, allowed)
	return withOptional(response, "Access-Control-Expose-Headers", c.sendExposed)
}

func (c *cors) allow(response server.Response, allowed string) server.Response {
	response = response.With("Access-Control-Allow-Origin", allowed)
	if c.credentials {
		response = response.With("Access-Control-Allow-Credentials", "true")
	}
	return response
}

// preflight answers what a browser asks before it sends a request.
func (c *cors) preflight(r *server.Request, origin, method string) server.Response {
	allowed := c.allowed(origin, true)
	response := server.Empty(http.StatusNoContent)
	switch {
	case allowed == "":
		response = server.Text(http.StatusForbidden, "The origin is not allowed.\n")
	case !c.anyMethod && !c.methods[method]:
		response = server.Text(http.StatusForbidden, "The method is not allowed to other origins.\n")
	case c.forbiddenField(r):
		response = server.Text(http.StatusForbidden, "A field is not allowed to other origins.\n")
	default:
		response = withOptional(response, "Access-Control-Allow-Methods", c.sendMethods)
		response = withOptional(response, "Access-Control-Allow-Headers", c.sendFields)
		response = withOptional(response, "Access-Control-Max-Age", c.sendMaxAge)
	}
	if allowed != "" {
		response = c.allow(response, allowed)
	}
	return response.With("Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers")
}

// forbiddenField says whether the request that is announced has a field that is not allowed.
func (c *cors) forbiddenField(r *server.Request) bool {
	for value := range r.Fields().Values("Access-Control-Request-Headers") {
		for name := range strings.SplitSeq(value, ",") {
			name = strings.ToLower(strings.Trim(name, " \t"))
			if name == "" || c.fields[name] || c.anyField && name != "authorization" {
				continue
			}
			return true
		}
	}
	return false
}

func withOptional(response server.Response, name, value string) server.Response {
	if value == "" {
		return response
	}
	return response.With(name, value)
}

const wildcard = "*"

// check returns what is wrong with the options, or nil.
func (o *CORSOptions) check() error {
	lists := [][]string{o.Origins, o.Methods, o.Fields, o.Exposed}
	for i, name := range []string{"Origins", "Methods", "Fields", "Exposed"} {
		if slices.Contains(lists[i], wildcard) && o.Credentials {
			return fmt.Errorf("layer: CORS was given * in %s together with Credentials, which browsers refuse", name)
		}
		for _, value := range lists[i] {
			if i > 0 && value != wildcard && !isToken(value) {
				return fmt.Errorf("layer: CORS was given %q in %s, where a token was expected (RFC 9110, section 5.6.2)", value, name)
			}
		}
	}
	if o.AllowOrigin != nil && slices.Contains(o.Origins, wildcard) {
		return errors.New("layer: CORS was given AllowOrigin together with the origin *, so that it would never be asked")
	}
	for _, origin := range o.Origins {
		if origin != wildcard && origin != "null" && !isOrigin(origin) {
			return fmt.Errorf("layer: CORS was given the origin %q, where scheme://host or scheme://host:port was expected, in lower case", origin)
		}
	}
	return nil
}

func isOrigin(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme != "" && u.Host != "" && s == u.Scheme+"://"+u.Host && s == strings.ToLower(s)
}

func isToken(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		alphanumeric := c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
		if !alphanumeric && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return s != ""
}
