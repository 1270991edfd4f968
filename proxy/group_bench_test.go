package proxy

import (
	"fmt"
	"testing"

	"github.com/penstock-go/penstock/client"
	"github.com/penstock-go/penstock/server"
)

// BenchmarkPickAndDone is what a group adds to a request that goes well.
func BenchmarkPickAndDone(b *testing.B) {
	key := "/reports/2026/11/22"
	for _, balance := range []struct {
		name string
		Balance
	}{
		{"RoundRobin", RoundRobin()},
		{"LeastPending", LeastPending()},
		{"Hash", Hash(func(*server.Request) string { return key })},
	} {
		for _, members := range []int{3, 10} {
			b.Run(fmt.Sprintf("%s/%d", balance.name, members), func(b *testing.B) {
				g := newTestGroup(b, members, GroupOptions{Balance: balance})
				b.ReportAllocs()
				for b.Loop() {
					pickAndDone(b, g.Group)
				}
			})
			b.Run(fmt.Sprintf("%s/%d/parallel", balance.name, members), func(b *testing.B) {
				g := newTestGroup(b, members, GroupOptions{Balance: balance})
				b.ReportAllocs()
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						pickAndDone(b, g.Group)
					}
				})
			})
		}
	}
}

// BenchmarkPickWhileOneIsOut reads the clock besides.
func BenchmarkPickWhileOneIsOut(b *testing.B) {
	c, err := client.New(client.Options{})
	if err != nil {
		b.Fatalf("a client could not be made: %v", err)
	}
	g, err := NewGroup(c, []Member{{Address: "http://10.0.0.1"}, {Address: "http://10.0.0.2"}}, GroupOptions{MaxFailures: 1, Out: never / 4})
	if err != nil {
		b.Fatalf("a group could not be made: %v", err)
	}
	target, err := g.Pick(nil, nil)
	if err != nil {
		b.Fatalf("a member should be picked; instead: %v", err)
	}
	target.Done(Outcome{Err: failure(client.ErrConnect)})
	b.ReportAllocs()
	for b.Loop() {
		pickAndDone(b, g)
	}
}

func pickAndDone(b *testing.B, g *Group) {
	target, err := g.Pick(nil, nil)
	if err != nil {
		b.Fatalf("a member should be picked; instead: %v", err)
	}
	target.Answered(200)
	target.Done(Outcome{Status: 200})
}

// TestPickAllocatesNothing holds what the benchmark shows.
func TestPickAllocatesNothing(t *testing.T) {
	for _, balance := range []Balance{RoundRobin(), LeastPending(), Hash(func(*server.Request) string { return "key" })} {
		g := newTestGroup(t, 3, GroupOptions{Balance: balance})
		if n := testing.AllocsPerRun(100, func() { g.answer(200) }); n > 0 {
			t.Errorf("picking with %T should allocate nothing, and allocates %v times", balance, n)
		}
	}
}
