package main

import (
	"testing"
	"time"
)

func TestPlanCorrectsItsEstimates(t *testing.T) {
	contenders, err := parseContenders("penstock,floor,nethttp")
	if err != nil {
		t.Fatalf("the servers are not known: %v", err)
	}
	contenders[0].binaries[roleHello] = "program"
	contenders[1].binaries[roleHello] = "program"
	minute := func(settings) time.Duration { return time.Minute }
	scenarios := []scenario{
		{role: roleHello, takes: minute},
		{role: roleHello, takes: minute, once: true, without: []string{floorName}},
	}
	p := newPlan(scenarios, contenders, settings{Rounds: 3})
	expect := func(why, expected string) {
		t.Helper()
		if p.String() != expected {
			t.Errorf("%s: the plan says %s, expected %s", why, p, expected)
		}
	}
	expect("two servers in three rounds, and one once", "[0 of 7, about 7 min left]")
	p.finish(time.Minute, 2*time.Minute)
	expect("the first took twice as long as estimated", "[1 of 7, about 12 min left]")
	p.skip(time.Minute)
	p.skip(time.Minute)
	expect("a server that failed is not measured again", "[1 of 5, about 8 min left]")
	for range 4 {
		p.finish(time.Minute, time.Second)
	}
	expect("nothing is left", "[5 of 5, about 0 s left]")
}
