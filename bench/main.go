// Command bench measures Penstock beside other servers and a floor that does no HTTP at all,
// in one run on one machine. README.md says what each scenario does.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	settings, err := parseSettings(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if err := run(ctx, settings, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures, writes the results to their file and the report to out and beside that file.
// Lines about the progress go to progress. Servers that failed are in the report; that any did
// is an error. Settings that name files of results make it report or compare these instead.
func run(ctx context.Context, s settings, out, progress io.Writer) error {
	switch {
	case s.comparePath != "":
		return compareFiles(s.comparePath, s.compareWith, out)
	case s.reportPath != "":
		return makeReport(s.reportPath, out)
	}
	if _, err := os.Stat("load.lua"); err != nil {
		return errors.New("there is no load.lua here: bench must be run in its own folder, as cd bench && go run . does")
	}
	h, err := newHarness(ctx, s, progress)
	if err != nil {
		return err
	}
	defer h.close()
	found := h.describe(ctx)
	h.say("load average before the first measurement: %s", found.Machine.LoadAverage)
	plan := newPlan(s.scenarios, h.contenders, s)
	failed := 0
	for i := range s.scenarios {
		result, err := h.runScenario(ctx, &s.scenarios[i], plan)
		if err != nil {
			return err
		}
		failed += len(result.Failures)
		found.Scenarios = append(found.Scenarios, result)
	}
	if s.add {
		before, err := readResults(s.resultsPath)
		if err != nil {
			return err
		}
		if err := before.add(found); err != nil {
			return err
		}
		found = before
	}
	if err := found.write(s.resultsPath); err != nil {
		return err
	}
	if err := makeReport(s.resultsPath, out); err != nil {
		return err
	}
	if failed > 0 {
		return fmt.Errorf("%d measurements failed, as the report says", failed)
	}
	return nil
}

func (h *harness) describe(ctx context.Context) *results {
	found := &results{
		Time:     time.Now().UTC().Format(time.RFC3339),
		Machine:  describeMachine(ctx, "no wrk", "no ab"),
		Settings: h.settings,
	}
	if h.wrk != nil {
		found.Machine.Wrk = h.wrk.version
	}
	if h.ab != nil {
		found.Machine.AB = h.ab.version
	}
	for _, c := range h.contenders {
		found.Servers = append(found.Servers, serverVersion{Label: c.label, Kind: c.kind.name, Version: c.version})
	}
	return found
}

// runScenario measures the servers in turn, round after round, so that what changes on the
// machine meanwhile meets all of them. A server that fails is not measured again. The error
// is that of ctx, or that the scenario cannot be prepared.
func (h *harness) runScenario(ctx context.Context, s *scenario, p *plan) (scenarioResult, error) {
	contenders := s.contendersOf(h.contenders)
	samples := map[string][]sample{}
	failed := map[string]bool{}
	var failures []failure
	rounds, estimate := s.roundsOf(h.settings), s.takes(h.settings)
	h.say("%v %s: %s", p, s.name, s.title)
	if err := h.prepareFloor(ctx, s); err != nil {
		return scenarioResult{}, fmt.Errorf("%s: %w", s.name, err)
	}
	for round := range rounds {
		for _, c := range contenders {
			if failed[c.label] {
				p.skip(estimate)
				continue
			}
			started := time.Now()
			measured, err := s.measure(ctx, h, c)
			if ctx.Err() != nil {
				return scenarioResult{}, fmt.Errorf("stopped: %w", ctx.Err())
			}
			p.finish(estimate, time.Since(started))
			if err == nil {
				err = measured.check()
			}
			if err != nil {
				h.say("%v %s, round %d of %d, %s: %v", p, s.name, round+1, rounds, c.label, err)
				failed[c.label] = true
				failures = append(failures, failure{c.label, err.Error()})
				delete(samples, c.label)
				continue
			}
			samples[c.label] = append(samples[c.label], measured)
			h.say("%v %s, round %d of %d, %s: %s", p, s.name, round+1, rounds, c.label, s.describe(measured))
		}
	}
	result := evaluate(s, rounds, contenders, samples, failures)
	result.takeCourses(h.courses)
	return result, nil
}
