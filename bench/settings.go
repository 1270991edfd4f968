package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"runtime"
)

// settings is what a run was asked for.
type settings struct {
	Rounds          int    `json:"rounds"`
	Seconds         int    `json:"seconds"` // of one measurement under load
	IdleConnections int    `json:"idle_connections"`
	EchoBytes       int64  `json:"echo_bytes"`
	Subscribers     int    `json:"subscribers"`
	SoakSeconds     int    `json:"soak_seconds"`
	Processors      int    `json:"processors"` // GOMAXPROCS of every server
	Peers           string `json:"peers"`
	Only            string `json:"only"`

	scenarios   []scenario
	resultsPath string
}

// What -quick sets, where the flag for it was not given.
var quickSettings = map[string]string{
	"rounds": "2", "seconds": "1", "connections": "2000", "echobytes": "33554432", "subscribers": "1000", "soak-seconds": "10",
}

// parseSettings reads the command line. Usage and errors of flags go to complaints.
func parseSettings(arguments []string, complaints io.Writer) (settings, error) {
	s := settings{Processors: runtime.NumCPU()}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(complaints)
	flags.StringVar(&s.Only, "only", "", "the `scenarios` to run, with commas, of "+scenarioNames()+" (all but soak)")
	flags.StringVar(&s.Peers, "peers", "penstock,floor,fasthttp,nethttp",
		"the `servers` to measure, with commas; ratios are those of the first to the others; one may come twice")
	flags.IntVar(&s.Rounds, "rounds", 5, "how many times each server is measured in turn")
	flags.IntVar(&s.Seconds, "seconds", 5, "how long a server is loaded in one measurement")
	flags.IntVar(&s.IdleConnections, "connections", 15000, "how many connections the idle scenario holds")
	flags.Int64Var(&s.EchoBytes, "echobytes", 1<<30, "how long the body of the echo scenario is")
	flags.IntVar(&s.Subscribers, "subscribers", 10000, "how many subscribers the fanout, subscribers and soak scenarios have")
	flags.IntVar(&s.SoakSeconds, "soak-seconds", 600, "how long each of the soak's two runs takes")
	flags.StringVar(&s.resultsPath, "results", "results/latest.json", "the `file` for the results")
	quick := flags.Bool("quick", false, "see that everything works: 2 rounds, 1 second, 2,000 connections, 32 MiB, 1,000 subscribers, 10 s of soak")
	if err := flags.Parse(arguments); err != nil {
		return s, err
	}
	if *quick {
		given := map[string]bool{}
		flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
		for name, value := range quickSettings {
			if given[name] {
				continue
			}
			if err := flags.Set(name, value); err != nil {
				return s, err
			}
		}
	}
	return s, s.complete(flags.NArg())
}

// complete checks the settings and looks up the scenarios.
func (s *settings) complete(unexpected int) error {
	if unexpected > 0 {
		return errors.New("there are arguments behind the flags, expected none")
	}
	if s.Rounds < 1 || s.Seconds < 1 || s.IdleConnections < 1 || s.EchoBytes < 1 || s.Subscribers < 1 || s.SoakSeconds < 1 {
		return fmt.Errorf("-rounds is %d, -seconds %d, -connections %d, -echobytes %d, -subscribers %d, -soak-seconds %d; expected each to be at least 1",
			s.Rounds, s.Seconds, s.IdleConnections, s.EchoBytes, s.Subscribers, s.SoakSeconds)
	}
	if _, err := parseContenders(s.Peers); err != nil {
		return err
	}
	selected, err := selectScenarios(s.Only)
	s.scenarios = selected
	return err
}
