package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"
)

// TestSteadyLoadDoesNotWait keeps answers back until many requests have come, which one that waits for
// its answer would never let happen. Of the answers one is an error and one is not the greeting.
func TestSteadyLoadDoesNotWait(t *testing.T) {
	const together = 10
	asking, stop := context.WithCancel(t.Context())
	all := make(chan struct{})
	var came atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		number := came.Add(1)
		if number == together {
			stop()
			close(all)
		}
		<-all
		switch number {
		case 1:
			w.WriteHeader(http.StatusBadGateway)
		case 2:
			io.WriteString(w, "something else")
		default:
			io.WriteString(w, greeting)
		}
	}))
	defer server.Close()
	load := newSteadyLoad(server.URL)
	defer load.close()
	load.run(asking, t.Context())
	if load.failed != 2 || load.firstFailure == nil || load.asked < together || load.longest <= 0 {
		t.Errorf("of %d requests %d failed (the first: %v) and the longest took %v; expected at least %d, and 2 failures",
			load.asked, load.failed, load.firstFailure, load.longest, together)
	}
}

func TestOutageOfTheOrdinaryRun(t *testing.T) {
	tests := []struct {
		seconds        int
		around, outage time.Duration
	}{
		{1, 500 * time.Millisecond, time.Second},
		{3, 1500 * time.Millisecond, 3 * time.Second},
		{60, 2500 * time.Millisecond, 3 * time.Second},
	}
	for _, test := range tests {
		if shape := outageOf(settings{Seconds: test.seconds}); shape.around != test.around || shape.outage != test.outage {
			t.Errorf("with %d seconds a measurement the outage is %+v, expected %v with %v around it", test.seconds, shape, test.outage, test.around)
		}
	}
}
