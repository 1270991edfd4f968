// Command bench measures Penstock beside fasthttp, net/http and a floor that does no HTTP at
// all, in one run on one machine. README.md says what each scenario does.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
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

// run measures and writes the report to out and the results to their file. Lines about the
// progress go to progress. Servers that failed are in the report; that any did is an error.
func run(ctx context.Context, s settings, out, progress io.Writer) error {
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
	failed := 0
	for i := range s.scenarios {
		result, err := h.runScenario(ctx, &s.scenarios[i])
		if err != nil {
			return err
		}
		failed += len(result.Failures)
		found.Scenarios = append(found.Scenarios, result)
	}
	if err := found.write(s.resultsPath); err != nil {
		return err
	}
	writeReport(out, found)
	if failed > 0 {
		return fmt.Errorf("%d measurements failed, as the report says", failed)
	}
	return nil
}

func (h *harness) describe(ctx context.Context) *results {
	wrkVersion := "no wrk"
	if h.wrk != nil {
		wrkVersion = h.wrk.version
	}
	found := &results{
		Time:     time.Now().UTC().Format(time.RFC3339),
		Machine:  describeMachine(ctx, wrkVersion),
		Settings: h.settings,
	}
	for _, c := range h.contenders {
		found.Servers = append(found.Servers, serverVersion{c.label, c.version})
	}
	return found
}

// runScenario measures the servers in turn, round after round, so that what changes on the
// machine meanwhile meets all of them. A server that fails is not measured again. The error
// is that of ctx alone.
func (h *harness) runScenario(ctx context.Context, s *scenario) (scenarioResult, error) {
	contenders := s.contendersOf(h.contenders)
	samples := map[string][]sample{}
	failed := map[string]bool{}
	var failures []failure
	rounds := h.settings.Rounds
	if s.once {
		rounds = 1
	}
	for round := range rounds {
		for _, c := range contenders {
			if failed[c.label] {
				continue
			}
			measured, err := s.measure(ctx, h, c)
			if ctx.Err() != nil {
				return scenarioResult{}, fmt.Errorf("stopped: %w", ctx.Err())
			}
			if err != nil {
				h.say("%s, round %d of %d, %s: %v", s.name, round+1, rounds, c.label, err)
				failed[c.label] = true
				failures = append(failures, failure{c.label, err.Error()})
				delete(samples, c.label)
				continue
			}
			samples[c.label] = append(samples[c.label], measured)
			h.say("%s, round %d of %d, %s: %s", s.name, round+1, rounds, c.label, s.describe(measured))
		}
	}
	return evaluate(s, contenders, samples, failures), nil
}

func (s *scenario) describe(measured sample) string {
	var parts []string
	for _, m := range s.measures {
		if value, found := measured[m.key]; found {
			parts = append(parts, m.title+" "+m.unit.format(value))
		}
	}
	return strings.Join(parts, ", ")
}
