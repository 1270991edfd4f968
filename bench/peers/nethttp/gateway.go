package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"runtime"
	"sync"
)

const (
	// Transport keeps two idle connections to a host unless told, and so would connect anew for
	// most of the requests of 64 clients: its documentation of MaxIdleConnsPerHost.
	mostIdle = 1024
	// What ReverseProxy copies with when it has no BufferPool, of which it then makes one for each
	// answer: its documentation of that field.
	copyBuffer = 32 << 10
)

// newGateway passes requests on by httputil.ReverseProxy, tuned as its documentation and that of
// Transport say. GET /-/stats it answers itself, with the number of its goroutines.
func newGateway(upstream string) (http.Handler, error) {
	behind, err := url.Parse(upstream)
	if err != nil || behind.Scheme != "http" || behind.Host == "" {
		return nil, fmt.Errorf("-upstream is %q, expected http://host:port", upstream)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(behind)
			r.SetXForwarded()
		},
		Transport:  &http.Transport{MaxIdleConnsPerHost: mostIdle, DisableCompression: true},
		BufferPool: &bufferPool{},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
			w.WriteHeader(http.StatusBadGateway) // as it does unless told, but for a line in the log
		},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/-/stats" {
			_ = json.NewEncoder(w).Encode(map[string]int{"goroutines": runtime.NumGoroutine()}) // the client may have gone
			return
		}
		proxy.ServeHTTP(w, r)
	}), nil
}

// A bufferPool lends ReverseProxy its buffers. Safe for use by many goroutines.
type bufferPool struct{ pool sync.Pool }

// Get returns a buffer of some earlier answer, or a new one.
func (p *bufferPool) Get() []byte {
	if buffer, found := p.pool.Get().(*[]byte); found {
		return *buffer
	}
	return make([]byte, copyBuffer)
}

// Put takes back what Get gave.
func (p *bufferPool) Put(buffer []byte) { p.pool.Put(&buffer) }
