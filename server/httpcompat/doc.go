// Package httpcompat has tests only: programs that were written for net/http, served by
// server.FromHTTP. It is a module of its own, so that the framework does not need what they
// need.
package httpcompat
