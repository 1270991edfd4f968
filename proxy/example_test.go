package proxy_test

import (
	"log"
	"time"

	"github.com/penstock-go/penstock/client"
	"github.com/penstock-go/penstock/proxy"
	"github.com/penstock-go/penstock/server"
)

// A gateway in front of one server, whose restarts nobody notices.
func Example() {
	c, err := client.New(client.Options{})
	if err != nil {
		log.Fatal(err)
	}
	upstream, err := c.Upstream("http://127.0.0.1:8081")
	if err != nil {
		log.Fatal(err)
	}
	handler := proxy.New(proxy.One(upstream), proxy.Options{TryFor: 10 * time.Second})
	s, err := server.New(handler, server.Options{})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := s.Listen("tcp", "127.0.0.1:8080"); err != nil {
		log.Fatal(err)
	}
	log.Fatal(s.Serve())
}
