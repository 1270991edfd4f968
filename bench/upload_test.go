package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestUploadIsToldItsLength(t *testing.T) {
	const size = echoPeriod + 7
	tests := []struct {
		why       string
		answer    func(w http.ResponseWriter, r *http.Request)
		complaint string
	}{
		{"the right length", func(w http.ResponseWriter, r *http.Request) {
			n, _ := io.Copy(io.Discard, r.Body)
			fmt.Fprint(w, n)
		}, ""},
		{"another length", func(w http.ResponseWriter, r *http.Request) {
			n, _ := io.Copy(io.Discard, r.Body)
			fmt.Fprint(w, n-1)
		}, `expected 200, text/plain and "1000010"`},
		{"another status", func(w http.ResponseWriter, r *http.Request) {
			http.Error(w, "too much", http.StatusRequestEntityTooLarge)
		}, "413"},
		{"another type", func(w http.ResponseWriter, r *http.Request) {
			n, _ := io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, n)
		}, "application/json"},
		{"no answer", func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			panic(http.ErrAbortHandler)
		}, "no HTTP response"},
	}
	for _, test := range tests {
		server := httptest.NewServer(http.HandlerFunc(test.answer))
		connection := dial(t, server.Listener.Addr().String())
		up := &uploader{connection: connection, reader: bufio.NewReader(connection), block: echoBlock()}
		err := up.post(size)
		if (err == nil) != (test.complaint == "") || err != nil && !strings.Contains(err.Error(), test.complaint) {
			t.Errorf("%s: the error is %v, expected one with %q", test.why, err, test.complaint)
		}
		server.Close()
	}
}
