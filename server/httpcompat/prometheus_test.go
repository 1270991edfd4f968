package httpcompat

import (
	"net/http"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics is a program that measures its own handlers and shows the figures.
func metrics() http.Handler {
	registry := prometheus.NewRegistry()
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "requests_total", Help: "Requests."}, []string{"code", "method"})
	sizes := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "sizes", Help: "Sizes of answers.", Buckets: []float64{1, 10, 100}}, nil)
	open := prometheus.NewGauge(prometheus.GaugeOpts{Name: "open", Help: "Requests in hand."})
	registry.MustRegister(requests, sizes, open)
	mux := http.NewServeMux()
	mux.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{Registry: registry, MaxRequestsInFlight: 5}))
	mux.Handle("/", promhttp.InstrumentHandlerInFlight(open, promhttp.InstrumentHandlerCounter(requests,
		promhttp.InstrumentHandlerResponseSize(sizes, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/" {
				http.NotFound(w, r)
				return
			}
			w.Write([]byte("measured"))
			w.(http.Flusher).Flush()
		})))))
	return mux
}

func TestPrometheus(t *testing.T) {
	same(t, metrics, "GET /", "GET /", "POST /\n\nbody", "GET /nowhere", "GET /metrics",
		"GET /metrics\nAccept: application/openmetrics-text; version=1.0.0",
		"GET /metrics\nAccept-Encoding: gzip", "HEAD /metrics")
}
