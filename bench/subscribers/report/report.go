// Package report is what the subscribers program tells the harness.
package report

// Kinds of reports, in the order they come.
const (
	Ready     = "ready"     // all subscribers have the head of their response
	Published = "published" // one event has reached every subscriber
	Progress  = "progress"  // comes again and again during a run
	Finished  = "finished"  // a run is over; the only one with latencies
)

// A Report is one line of JSON. The counts are those since the run began.
type Report struct {
	Kind       string  `json:"report"`
	Events     int64   `json:"events"`
	Deliveries int64   `json:"deliveries"` // an event read by one subscriber is one
	Bytes      int64   `json:"bytes"`      // that all subscribers have read
	Missing    int64   `json:"missing"`    // deliveries that did not happen; while a run goes on, those still to come, too
	Reopened   int64   `json:"reopened"`   // connections of stalled subscribers that the server has closed
	Seconds    float64 `json:"seconds"`

	// Microseconds from before an event was posted to its reading by a subscriber.
	LatencyP50  float64 `json:"latency_p50"`
	LatencyP90  float64 `json:"latency_p90"`
	LatencyP99  float64 `json:"latency_p99"`
	LatencyP999 float64 `json:"latency_p999"`
	LatencyMax  float64 `json:"latency_max"`
}
