package main

import (
	"strings"
	"testing"
)

func TestOnlyTakesPatterns(t *testing.T) {
	tests := []struct{ list, expected string }{
		{"fanout*", "fanout-100 fanout-1000 fanout"},
		{"hello", "hello"},
		{"fanout,fanout*", "fanout fanout-100 fanout-1000"},
		{"hello-?,idle", "hello-1 idle"},
		{"so*,soak", ""},
		{"soak", "soak"},
		{"goodbye", ""},
		{"[", ""},
	}
	for _, test := range tests {
		var names []string
		selected, err := selectScenarios(test.list)
		for _, s := range selected {
			names = append(names, s.name)
		}
		if got := strings.Join(names, " "); got != test.expected || (err == nil) != (test.expected != "") {
			t.Errorf("-only %s selects %q with error %v, expected %q", test.list, got, err, test.expected)
		}
	}
}

func TestWhoTakesPart(t *testing.T) {
	contenders, err := parseContenders("penstock,floor,nethttp,fasthttp")
	if err != nil {
		t.Fatalf("the servers are not known: %v", err)
	}
	for _, c := range contenders {
		c.binaries[roleService] = "program"
	}
	contenders[0].binaries[roleHello], contenders[2].binaries[roleHello] = "program", "program"
	tests := []struct {
		why      string
		scenario scenario
		expected string
	}{
		{"all that have the role", scenario{role: roleService}, "penstock floor nethttp fasthttp"},
		{"two roles", scenario{role: roleService, second: roleHello}, "penstock nethttp"},
		{"without", scenario{role: roleService, without: []string{floorName}}, "penstock nethttp fasthttp"},
		{"only", scenario{role: roleService, only: []string{penstockName}}, "penstock"},
		{"none", scenario{role: roleEcho}, ""},
	}
	for _, test := range tests {
		var labels []string
		for _, c := range test.scenario.contendersOf(contenders) {
			labels = append(labels, c.label)
		}
		if got := strings.Join(labels, " "); got != test.expected {
			t.Errorf("%s: %q take part, expected %q", test.why, got, test.expected)
		}
	}
}
