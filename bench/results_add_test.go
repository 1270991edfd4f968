package main

import (
	"strings"
	"testing"
)

func TestAdd(t *testing.T) {
	ran := func(rounds int, version, time string, names ...string) *results {
		r := &results{Time: time, Settings: settings{Rounds: rounds, Only: time}, Machine: machine{Commit: "c" + time},
			Servers: []serverVersion{{"penstock", penstockName, "1"}, {"nginx", nginxName, version}}}
		for _, name := range names {
			r.Scenarios = append(r.Scenarios, scenarioResult{Name: name, Rounds: rounds, Title: name + " " + time})
		}
		return r
	}
	whole := ran(3, "1.22", "first", "hello", "idle")
	if err := whole.add(ran(3, "1.22", "second", "proxy", "idle")); err != nil {
		t.Fatal(err)
	}
	var titles []string
	for _, s := range whole.Scenarios {
		titles = append(titles, s.Title)
	}
	if got := strings.Join(titles, ", "); got != "hello first, idle second, proxy second" {
		t.Errorf("the scenarios are %s; expected what was measured again in its old place, and what is new behind", got)
	}
	if got := whole.additions(); len(got) != 1 || !strings.HasPrefix(got[0], "Added at second: idle, proxy; commit csecond;") {
		t.Errorf("the additions are %q, expected one sentence that names idle and proxy", got)
	}
	if text := strings.Join(whole.circumstances(), "\n"); !strings.Contains(text, "Added at second") {
		t.Errorf("the circumstances do not say what was added: %s", text)
	}
	for what, later := range map[string]*results{
		"other settings": ran(1, "1.22", "third", "proxy"), "another version": ran(3, "1.24", "third", "proxy"),
	} {
		if err := whole.add(later); err == nil {
			t.Errorf("results with %s were added", what)
		}
	}
	unknown := ran(3, "1.22", "third", "proxy")
	unknown.Servers[1].Label = "other"
	if err := whole.add(unknown); err == nil || !strings.Contains(err.Error(), "no server other") {
		t.Errorf("the results of a server that takes part in no other scenario were added: %v", err)
	}
}
