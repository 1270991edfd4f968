package main

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestReadGoroutines(t *testing.T) {
	tests := []struct {
		answer    string
		expected  float64
		complaint string
	}{
		{`{"connections":3,"goroutines":12}`, 12, ""},
		{`{"connections":3}`, 0, "say nothing"},
		{`not found`, 0, "not JSON"},
	}
	for _, test := range tests {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/figures" {
				io.WriteString(w, test.answer)
			}
		}))
		got, err := readGoroutines(t.Context(), server.Listener.Addr().String(), "/figures")
		server.Close()
		if got != test.expected || (err == nil) != (test.complaint == "") || err != nil && !strings.Contains(err.Error(), test.complaint) {
			t.Errorf("of %s the goroutines are %v with error %v, expected %v and %q", test.answer, got, err, test.expected, test.complaint)
		}
	}
}

func TestPublishToNobody(t *testing.T) {
	var got string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = r.Method + " " + r.URL.Path + " " + string(body)
		if r.URL.Path == "/publish" && len(body) > 0 {
			w.WriteHeader(http.StatusNoContent)
		}
	}))
	defer server.Close()
	address := server.Listener.Addr().String()
	if err := publishToNobody(t.Context(), address, "to nobody"); err != nil || got != "POST /publish to nobody" {
		t.Errorf("the server gets %q with error %v, expected a message posted to /publish", got, err)
	}
	if err := publishToNobody(t.Context(), address+"/wrong", "to nobody"); err == nil || !strings.Contains(err.Error(), "200, expected 204") {
		t.Errorf("of a server that answers 200 the error is %v, expected that it is not 204", err)
	}
}

func TestAudienceFollowsItsProtocol(t *testing.T) {
	var commands strings.Builder
	a := &audience{&commands, bufio.NewReader(strings.NewReader(
		`{"report":"ready"}` + "\n" + `{"report":"published","deliveries":7}` + "\n" +
			`{"report":"progress"}` + "\n" + `{"report":"progress"}` + "\n" +
			`{"report":"finished","deliveries":21,"latency_p99":4.5}` + "\n"))}
	if _, err := a.await("ready", nil); err != nil {
		t.Fatalf("the subscribers are not ready: %v", err)
	}
	if err := a.publish(); err != nil {
		t.Errorf("publishing an event fails: %v", err)
	}
	looks := 0
	found, err := a.run(3, func() error { looks++; return nil })
	if err != nil || found.Deliveries != 21 || found.LatencyP99 != 4.5 || looks != 2 {
		t.Errorf("the run ends with %+v and error %v after %d reports of progress, expected 21 deliveries after 2", found, err, looks)
	}
	if commands.String() != "publish 1\nrun 3\n" {
		t.Errorf("the commands are %q, expected one event and then a run", commands.String())
	}
}

func TestAudienceSeesWhatIsWrong(t *testing.T) {
	failed := errors.New("the server's memory cannot be read")
	tests := []struct{ why, reports, complaint string }{
		{"an end too soon", "", "ended before"},
		{"no JSON", "hello\n", "in JSON"},
		{"another report", `{"report":"ready"}` + "\n", `reported "ready"`},
		{"no delivery at all", `{"report":"finished"}` + "\n", "no event was delivered"},
		{"a missing delivery", `{"report":"finished","deliveries":5,"events":2,"missing":1}` + "\n", "1 deliveries of 2 events"},
		{"progress that nobody wanted", `{"report":"progress"}` + "\n", `reported "progress"`},
	}
	for _, test := range tests {
		a := &audience{io.Discard, bufio.NewReader(strings.NewReader(test.reports))}
		if _, err := a.runComplete(1); err == nil || !strings.Contains(err.Error(), test.complaint) {
			t.Errorf("%s: the error is %v, expected one with %q", test.why, err, test.complaint)
		}
	}
	a := &audience{io.Discard, bufio.NewReader(strings.NewReader(`{"report":"progress"}` + "\n"))}
	if _, err := a.run(1, func() error { return failed }); !errors.Is(err, failed) {
		t.Errorf("the error is %v, expected the one that a look at the progress gave", err)
	}
}

// TestClientsReasonIsTheError starts a client that has nobody to connect to.
func TestClientsReasonIsTheError(t *testing.T) {
	h, err := newHarness(t.Context(), tinySettings(t, "-only", "fanout", "-peers", "floor"), io.Discard)
	if err != nil {
		t.Fatalf("no harness: %v", err)
	}
	defer h.close()
	err = h.withAudience(t.Context(), "127.0.0.1:1", audienceShape{readers: 1}, func(*audience) error {
		t.Error("the audience is used, expected that it is never ready")
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("the error is %v, expected that the connection was refused", err)
	}
	expectNoChildren(t)
}
