package main

import (
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/penstock-go/penstock/examples/internal/page"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
	"github.com/penstock-go/penstock/server/layer"
)

// site is what the gateway answers with. All of it is shared by the loops and does not change.
type site struct {
	config   *config
	services map[string]*service
	counts   *counts
	server   *server.Server // set before anything is answered
	logger   *slog.Logger
}

// newSite makes everything that the configuration names.
func newSite(c *config, logger *slog.Logger) (s *site, err error) {
	s = &site{config: c, services: make(map[string]*service), counts: newCounts(), logger: logger}
	for name, u := range c.Upstreams {
		if s.services[name], err = newService(u, logger); err != nil {
			s.close()
			return nil, fmt.Errorf("the upstream %q: %w", name, err)
		}
	}
	return s, nil
}

func (s *site) close() {
	for _, service := range s.services {
		if service != nil {
			service.close()
		}
	}
}

// handler returns what answers all requests. accessLog, when not nil, is the layer that logs them.
func (s *site) handler(accessLog server.Layer) (h server.Handler, err error) {
	defer func() { // registering a pattern that is wrong panics with the sentence that says why
		if value := recover(); value != nil {
			h, err = nil, fmt.Errorf("the routes: %v", value)
		}
	}()
	router := server.NewRouter()
	if accessLog != nil {
		router.Use(accessLog)
	}
	router.Use(s.counts.layer)
	door := layer.BearerAuth("gateway", s.grants)
	own := router.Group("/-")
	if !s.config.PublicCounts {
		own = router.Group("/-", door)
	}
	s.addOwn(own)
	for _, route := range s.config.Routes {
		var layers []server.Layer
		if !route.Public {
			layers = append(layers, door)
		}
		if route.BodyLimit != 0 {
			layers = append(layers, layer.BodyLimit(route.BodyLimit))
		}
		router.Handle(route.Pattern, s.services[route.Upstream].handler(&route, s.logger), layers...)
	}
	return router.Answer, nil
}

// addOwn adds what the gateway answers itself.
func (s *site) addOwn(g *server.Router) {
	for path, answer := range page.Answers(pageFiles, policy) {
		if path == "/" {
			path = "/{$}" // and nothing below it
		}
		g.Handle("GET "+path, func(*server.Request) server.Response { return answer })
	}
	g.Handle("GET /stats", func(*server.Request) server.Response {
		return server.JSON(http.StatusOK, s.snapshot()).With("Cache-Control", "no-store")
	})
	g.Handle("GET /events", func(r *server.Request) server.Response {
		return server.Events(s.counts.topic.Subscribe(r.Loop(), pipeline.Newest))
	})
}

func (s *site) snapshot() snapshot { return s.counts.snapshot(time.Now(), s.server, s.services) }

// grants says whether a token is one of the configuration. All are compared, so that the time says nothing.
func (s *site) grants(token string) bool {
	granted := false
	for _, expected := range s.config.Tokens {
		if layer.ConstantTimeEqual(token, expected) {
			granted = true
		}
	}
	return granted
}
