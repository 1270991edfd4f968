package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
)

// config is the file of routes. What it names is checked when it is read, so that a program that
// has started can serve all of it.
type config struct {
	// Tokens are the bearer tokens that the door takes, by the name of who has each. One that
	// begins with "$" is the name of an environment variable that holds it.
	Tokens map[string]string `json:"tokens"`

	// PublicCounts shows the counts without a token.
	PublicCounts bool `json:"public_counts"`

	Upstreams map[string]upstreamConfig `json:"upstreams"`
	Routes    []routeConfig             `json:"routes"`
}

// upstreamConfig is one service: one or more servers that are as good as each other.
type upstreamConfig struct {
	Addresses   []string     `json:"addresses"`   // "http://host:port", "unix:/path"
	Balance     string       `json:"balance"`     // "round-robin", "least-pending", "hash:client" or "hash:NAME" of a field
	Connections int          `json:"connections"` // at most, to each server
	TryFor      duration     `json:"try_for"`     // how long a request is kept whose server refuses connections
	TryEvery    duration     `json:"try_every"`
	Check       *checkConfig `json:"check"`
}

// checkConfig asks each server whether it is well.
type checkConfig struct {
	Path    string   `json:"path"`
	Every   duration `json:"every"`
	Timeout duration `json:"timeout"`
}

// routeConfig sends what matches a pattern to an upstream.
type routeConfig struct {
	Pattern     string   `json:"pattern"` // of server.Router
	Upstream    string   `json:"upstream"`
	Public      bool     `json:"public"`       // no token is asked for
	StripPrefix string   `json:"strip_prefix"` // taken off the path before it is sent
	Timeout     duration `json:"timeout"`      // until the head of the answer
	BodyLimit   int64    `json:"body_limit"`   // bytes; 0 is the server's, negative is none
}

// duration is written as Go does: "10s", "250ms".
type duration time.Duration

func (d *duration) UnmarshalJSON(text []byte) error {
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return fmt.Errorf("a time is written like \"10s\" or \"250ms\", and not %s", text)
	}
	parsed, err := time.ParseDuration(s)
	if err != nil || parsed < 0 {
		return fmt.Errorf("a time is written like \"10s\" or \"250ms\", and not %s", text)
	}
	*d = duration(parsed)
	return nil
}

// readConfig reads the file of routes.
func readConfig(name string) (*config, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	c, err := parseConfig(text, os.Getenv)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return c, nil
}

// manyConnections is more than a process may have descriptors for, usually: what bounds them is
// server.Options.MaxConnections.
const manyConnections = 1 << 16

// simpleConfig sends everything to one upstream, for everybody.
func simpleConfig(address string, tryFor time.Duration) *config {
	return &config{
		PublicCounts: true,
		Upstreams: map[string]upstreamConfig{"upstream": {
			Addresses: []string{address}, Connections: manyConnections, TryFor: duration(tryFor),
		}},
		Routes: []routeConfig{{Pattern: "/", Upstream: "upstream", Public: true, BodyLimit: -1}},
	}
}

func parseConfig(text []byte, environment func(string) string) (*config, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	c := new(config)
	if err := d.Decode(c); err != nil {
		return nil, atLine(text, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("there is something behind the configuration")
	}
	return c, c.check(environment)
}

// atLine says in which line of the file an error is, where that is known.
func atLine(text []byte, err error) error {
	offset := int64(0)
	if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
		offset = syntax.Offset
	}
	if wrongType := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrongType) {
		offset = wrongType.Offset
	}
	if offset == 0 {
		return err
	}
	return fmt.Errorf("line %d: %w", 1+bytes.Count(text[:offset], []byte("\n")), err)
}

func (c *config) check(environment func(string) string) error {
	for _, name := range slices.Sorted(maps.Keys(c.Tokens)) {
		if variable, found := strings.CutPrefix(c.Tokens[name], "$"); found {
			c.Tokens[name] = environment(variable)
			if c.Tokens[name] == "" {
				return fmt.Errorf("the token of %q is to be in the environment variable %s, which is empty", name, variable)
			}
		}
		if len(c.Tokens[name]) < 16 {
			return fmt.Errorf("the token of %q has fewer than 16 characters", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Upstreams)) {
		if err := c.Upstreams[name].check(); err != nil {
			return fmt.Errorf("the upstream %q: %w", name, err)
		}
	}
	if len(c.Routes) == 0 {
		return errors.New("there are no routes")
	}
	for _, r := range c.Routes {
		if err := r.check(c); err != nil {
			return fmt.Errorf("the route %q: %w", r.Pattern, err)
		}
	}
	return nil
}

func (u upstreamConfig) check() error {
	_, hash := strings.CutPrefix(u.Balance, "hash:")
	switch {
	case len(u.Addresses) == 0:
		return errors.New("it has no addresses")
	case !hash && u.Balance != "" && u.Balance != "round-robin" && u.Balance != "least-pending" || u.Balance == "hash:":
		return fmt.Errorf("balance is %q, and must be round-robin, least-pending, hash:client or hash: and the name of a field", u.Balance)
	case u.Connections < 0:
		return fmt.Errorf("connections is %d", u.Connections)
	case u.Check != nil && !strings.HasPrefix(u.Check.Path, "/"):
		return fmt.Errorf("the path of its check is %q, and must begin with a slash", u.Check.Path)
	}
	return nil
}

func (r *routeConfig) check(c *config) error {
	_, found := c.Upstreams[r.Upstream]
	switch {
	case r.Pattern == "":
		return errors.New("it has no pattern")
	case !found:
		return fmt.Errorf("there is no upstream %q", r.Upstream)
	case !r.Public && len(c.Tokens) == 0:
		return errors.New("it is not public, and there are no tokens: nobody could use it")
	case r.StripPrefix != "" && (!strings.HasPrefix(r.StripPrefix, "/") || strings.HasSuffix(r.StripPrefix, "/")):
		return fmt.Errorf("strip_prefix is %q, and must begin with a slash and not end with one", r.StripPrefix)
	}
	return nil
}
