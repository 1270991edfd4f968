package main

import (
	"log/slog"
	"strings"
	"time"

	"github.com/penstock-go/penstock/client"
	"github.com/penstock-go/penstock/proxy"
	"github.com/penstock-go/penstock/server"
)

// service is an upstream of the configuration. It has a client of its own, since each has its own
// bounds.
type service struct {
	config upstreamConfig
	client *client.Client
	group  *proxy.Group
}

func newService(u upstreamConfig, logger *slog.Logger) (*service, error) {
	c, err := client.New(client.Options{MaxConnections: u.Connections, Logger: logger})
	if err != nil {
		return nil, err
	}
	members := make([]proxy.Member, len(u.Addresses))
	for i, address := range u.Addresses {
		members[i] = proxy.Member{Address: address}
	}
	o := proxy.GroupOptions{Balance: balance(u.Balance), Logger: logger}
	if check := u.Check; check != nil {
		o.Check = &proxy.Check{Path: check.Path, Interval: time.Duration(check.Every), Timeout: time.Duration(check.Timeout)}
	}
	g, err := proxy.NewGroup(c, members, o)
	if err != nil {
		c.Close()
		return nil, err
	}
	return &service{config: u, client: c, group: g}, nil
}

// balance is what the configuration calls by that name; nil is the group's default.
func balance(name string) proxy.Balance {
	field, hash := strings.CutPrefix(name, "hash:")
	switch {
	case name == "least-pending":
		return proxy.LeastPending()
	case hash && field == "client":
		return proxy.Hash(func(r *server.Request) string { return r.RemoteAddr().Addr().String() })
	case hash:
		return proxy.Hash(func(r *server.Request) string { return r.Field(field) })
	}
	return nil
}

// close ends what the service does by itself. Requests that are in progress go on.
func (s *service) close() {
	s.group.Close()
	s.client.Close()
}

// handler sends the requests of a route to the service.
func (s *service) handler(route *routeConfig, logger *slog.Logger) server.Handler {
	timeouts := &client.Timeouts{Head: time.Duration(route.Timeout)}
	return proxy.New(s.group, proxy.Options{
		Via:      "gateway",
		TryFor:   time.Duration(s.config.TryFor),
		TryEvery: time.Duration(s.config.TryEvery),
		Logger:   logger,
		Rewrite: func(_ *server.Request, out *client.Request) error {
			out.Timeouts = timeouts
			if route.StripPrefix != "" {
				out.Target = stripPrefix(out.Target, route.StripPrefix)
			}
			return nil
		},
	})
}

// stripPrefix takes a prefix of whole segments off a target.
func stripPrefix(target, prefix string) string {
	rest, found := strings.CutPrefix(target, prefix)
	switch {
	case !found || rest != "" && rest[0] != '/' && rest[0] != '?':
		return target
	case rest == "" || rest[0] == '?':
		return "/" + rest
	}
	return rest
}

// A serverCount is what the counts say of one server of an upstream.
type serverCount struct {
	Address     string `json:"address"`
	State       string `json:"state"`
	Pending     int64  `json:"pending"`
	Requests    int64  `json:"requests"`
	Failures    int64  `json:"failures"`
	Connections int    `json:"connections"`
	Idle        int    `json:"idle"`
	Waiting     int    `json:"waiting"` // requests that wait for a connection
}

// counts says what is known of each server. Any goroutine.
func (s *service) counts() []serverCount {
	list := []serverCount{}
	for _, m := range s.group.Stats() {
		c := serverCount{Address: m.Address, State: m.State.String(), Pending: m.Pending, Requests: m.Requests, Failures: m.Failures}
		if u, err := s.client.Upstream(m.Address); err == nil { // it exists: it is a member
			stats := u.Stats()
			c.Connections, c.Idle, c.Waiting = stats.Connections, stats.Idle, stats.Waiting
		}
		list = append(list, c)
	}
	return list
}
