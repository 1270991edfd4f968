package proxy_test

import (
	"fmt"
	"time"

	"github.com/penstock-go/penstock/client"
	"github.com/penstock-go/penstock/proxy"
	"github.com/penstock-go/penstock/server"
)

// Three upstreams of which one can do twice as much, each asked every five seconds whether it is
// well.
func ExampleNewGroup() {
	c, err := client.New(client.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	group, err := proxy.NewGroup(c, []proxy.Member{
		{Address: "http://127.0.0.1:9001"},
		{Address: "http://127.0.0.1:9002"},
		{Address: "unix:/run/reports.sock", Weight: 2},
	}, proxy.GroupOptions{
		Balance: proxy.LeastPending(),
		Check:   &proxy.Check{Path: "/health", Interval: 5 * time.Second},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer group.Close()

	handler := proxy.New(group, proxy.Options{TryFor: 10 * time.Second})
	_ = handler // is what server.New takes

	for _, m := range group.Stats() {
		fmt.Println(m.Address, m.State, m.Pending)
	}
	// Output:
	// http://127.0.0.1:9001 in 0
	// http://127.0.0.1:9002 in 0
	// unix:/run/reports.sock in 0
}

// Requests of one session go to one upstream, which has it in its memory.
func ExampleHash() {
	balance := proxy.Hash(func(r *server.Request) string { return r.Field("X-Session") })
	c, err := client.New(client.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	group, err := proxy.NewGroup(c, []proxy.Member{{Address: "http://127.0.0.1:9001"}}, proxy.GroupOptions{Balance: balance})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(group.Stats()), "member")
	// Output: 1 member
}
