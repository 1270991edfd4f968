package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/penstock-go/penstock/bench/subscribers/report"
)

// How long the subscribers program may take for all but its runs.
const audienceTimeout = 2 * time.Minute

// An audienceShape is what the subscribers program is asked to be.
type audienceShape struct {
	readers     int
	stalled     int           // subscribers that never read
	messageSize int           // bytes; 0: the program's default
	rate        float64       // events a second in a run; 0: one after another
	progress    time.Duration // between two reports of a run; 0: none
	running     time.Duration // at most, all runs together
}

func (s audienceShape) arguments(address string) []string {
	arguments := []string{
		"-addr", address, "-readers", strconv.Itoa(s.readers), "-stalled", strconv.Itoa(s.stalled),
		"-rate", strconv.FormatFloat(s.rate, 'g', -1, 64), "-progress", s.progress.String(),
	}
	if s.messageSize > 0 {
		arguments = append(arguments, "-size", strconv.Itoa(s.messageSize))
	}
	return arguments
}

// An audience is the harness's side of the protocol of the subscribers program, which
// subscribers/main.go describes.
type audience struct {
	commands io.Writer
	reports  *bufio.Reader
}

// withAudience runs use while all subscribers have the head of their response.
func (h *harness) withAudience(ctx context.Context, address string, shape audienceShape, use func(*audience) error) error {
	return withClient(ctx, h.subscribers, shape.arguments(address), audienceTimeout+2*shape.running,
		func(commands io.Writer, reports *bufio.Reader) error {
			a := &audience{commands, reports}
			if _, err := a.await(report.Ready, nil); err != nil {
				return err
			}
			return use(a)
		})
}

// grow opens more subscribers, and returns when they have the head of their response.
func (a *audience) grow(more int) error {
	if _, err := fmt.Fprintf(a.commands, "grow %d\n", more); err != nil {
		return fmt.Errorf("subscribers takes no command: %w", err)
	}
	_, err := a.await(report.Ready, nil)
	return err
}

// publish publishes one event and returns when all subscribers have it.
func (a *audience) publish() error {
	if _, err := io.WriteString(a.commands, "publish 1\n"); err != nil {
		return fmt.Errorf("subscribers takes no command: %w", err)
	}
	_, err := a.await(report.Published, nil)
	return err
}

// run publishes for some whole seconds and returns what came of it. progress, when not nil,
// is called with each report of progress.
func (a *audience) run(seconds int, progress func() error) (report.Report, error) {
	if _, err := fmt.Fprintf(a.commands, "run %d\n", seconds); err != nil {
		return report.Report{}, fmt.Errorf("subscribers takes no command: %w", err)
	}
	found, err := a.await(report.Finished, progress)
	if err == nil && found.Deliveries == 0 {
		err = fmt.Errorf("no event was delivered within %d s", seconds)
	}
	return found, err
}

// runComplete is run for an audience in which nothing may be missing.
func (a *audience) runComplete(seconds int) (report.Report, error) {
	found, err := a.run(seconds, nil)
	if err == nil && found.Missing > 0 {
		err = fmt.Errorf("%d deliveries of %d events are missing", found.Missing, found.Events)
	}
	return found, err
}

// await reads reports up to one of the kind.
func (a *audience) await(kind string, progress func() error) (report.Report, error) {
	for {
		line, err := a.reports.ReadBytes('\n')
		if err != nil {
			return report.Report{}, fmt.Errorf("subscribers ended before it was %s: %w", kind, err)
		}
		var found report.Report
		if err := json.Unmarshal(line, &found); err != nil {
			return report.Report{}, fmt.Errorf("subscribers printed %q, expected a report in JSON: %w", line, err)
		}
		switch {
		case found.Kind == kind:
			return found, nil
		case found.Kind != report.Progress || progress == nil:
			return report.Report{}, fmt.Errorf("subscribers reported %q, expected %q", found.Kind, kind)
		}
		if err := progress(); err != nil {
			return report.Report{}, err
		}
	}
}
