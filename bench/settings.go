package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"runtime"
	"strings"
)

// settings is what a run was asked for.
type settings struct {
	Rounds          int    `json:"rounds"`
	Seconds         int    `json:"seconds"`         // of one measurement under load
	WarmUp          int    `json:"warm_up_seconds"` // under the same load before it
	IdleConnections int    `json:"idle_connections"`
	EchoBytes       int64  `json:"echo_bytes"`
	UploadBytes     int64  `json:"upload_bytes"`
	Readers         int    `json:"slow_readers"`
	Subscribers     int    `json:"subscribers"`
	SoakSeconds     int    `json:"soak_seconds"`
	Processors      int    `json:"processors"` // GOMAXPROCS of every server
	Peers           string `json:"peers"`
	Only            string `json:"only"`

	scenarios   []scenario
	resultsPath string
	add         bool // the results to what is in their file

	// Not for a run: the report of a file, or two files to compare.
	reportPath, comparePath, compareWith string
	// programs is a folder for built programs that outlives the run; empty: one of the run's own.
	programs string
}

// What -quick sets, where the flag for it was not given.
var quickSettings = map[string]string{
	"rounds": "1", "seconds": "1", "warmup": "0", "connections": "5000", "echobytes": "33554432",
	"uploadbytes": "67108864", "subscribers": "1000", "soak-seconds": "10",
}

// parseSettings reads the command line. Usage and errors of flags go to complaints.
func parseSettings(arguments []string, complaints io.Writer) (settings, error) {
	s := settings{Processors: runtime.NumCPU()}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(complaints)
	flags.StringVar(&s.Only, "only", "", "the `scenarios` to run, with commas; * stands for any part of a name: "+scenarioNames()+" (all but soak)")
	flags.StringVar(&s.Peers, "peers", strings.ReplaceAll(kindNames(), ", ", ","),
		"the `servers` to measure, with commas; ratios are those of the first to the others; one may come twice")
	flags.IntVar(&s.Rounds, "rounds", 3, "how many times each server is measured in turn")
	flags.IntVar(&s.Seconds, "seconds", 3, "how long a server is loaded in one measurement")
	flags.IntVar(&s.WarmUp, "warmup", 1, "how many seconds a server is loaded before that")
	flags.IntVar(&s.IdleConnections, "connections", 15000, "how many connections the idle scenario holds")
	flags.Int64Var(&s.EchoBytes, "echobytes", 1<<30, "how long the body of the echo scenario is")
	flags.Int64Var(&s.UploadBytes, "uploadbytes", 256<<20, "how long a body of the upload scenario is")
	flags.IntVar(&s.Readers, "readers", 200, "how many slow readers there are")
	flags.IntVar(&s.Subscribers, "subscribers", 10000, "how many subscribers the fanout, subscribers and soak scenarios have")
	flags.IntVar(&s.SoakSeconds, "soak-seconds", 600, "how long each of the soak's two runs takes")
	flags.StringVar(&s.resultsPath, "results", "",
		"the `file` for the results (results/latest.json; with -quick, -only or -peers results/try.json)")
	flags.BoolVar(&s.add, "add", false,
		"put the scenarios beside those in the file for the results, which were measured with the same settings")
	flags.StringVar(&s.programs, "programs", "", "a `folder` for the built programs, which stay there: the next run need not link them anew")
	flags.StringVar(&s.reportPath, "report", "", "make the report of a result `file` anew, without measuring")
	flags.StringVar(&s.comparePath, "compare", "",
		"compare the result `file` of an earlier run with the one named behind the flags: -compare old.json new.json")
	quick := flags.Bool("quick", false, "see that everything works: one round of a second without warm-up, and less of everything")
	if err := flags.Parse(arguments); err != nil {
		return s, err
	}
	given := map[string]bool{}
	flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	if *quick {
		for name, value := range quickSettings {
			if given[name] {
				continue
			}
			if err := flags.Set(name, value); err != nil {
				return s, err
			}
		}
	}
	if s.resultsPath == "" {
		s.resultsPath = "results/latest.json"
		if !s.add && (*quick || given["only"] || given["peers"]) {
			// A try must not take the place of the figures that README shows.
			s.resultsPath = "results/try.json"
		}
	}
	return s, s.complete(flags.Args())
}

// complete checks the settings and looks up the scenarios.
func (s *settings) complete(behind []string) error {
	if s.comparePath != "" {
		if len(behind) != 1 {
			return fmt.Errorf("behind -compare %s there are %d files, expected the one to compare with", s.comparePath, len(behind))
		}
		s.compareWith = behind[0]
		return nil
	}
	if len(behind) > 0 {
		return errors.New("there are arguments behind the flags, expected none")
	}
	least := min(int64(s.Rounds), int64(s.Seconds), int64(s.IdleConnections), s.EchoBytes, s.UploadBytes,
		int64(s.Readers), int64(s.Subscribers), int64(s.SoakSeconds))
	if least < 1 || s.WarmUp < 0 {
		return fmt.Errorf("-rounds is %d, -seconds %d, -connections %d, -echobytes %d, -uploadbytes %d, -readers %d, "+
			"-subscribers %d, -soak-seconds %d, -warmup %d; expected -warmup to be at least 0 and each other at least 1",
			s.Rounds, s.Seconds, s.IdleConnections, s.EchoBytes, s.UploadBytes, s.Readers, s.Subscribers, s.SoakSeconds, s.WarmUp)
	}
	if _, err := parseContenders(s.Peers); err != nil {
		return err
	}
	selected, err := selectScenarios(s.Only)
	s.scenarios = selected
	return err
}
