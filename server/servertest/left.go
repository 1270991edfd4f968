package servertest

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"runtime/pprof"
	"slices"
	"strings"
)

// What is left when a test ends.

// TolerateGoroutines has the check at the end pass over goroutines in whose stack there is
// a function with function in its name: those that a handler starts once, for good.
func (s *Server) TolerateGoroutines(function string) { s.tolerated = append(s.tolerated, function) }

// end is the check at the end of a test, when its clients have left.
func (s *Server) end() {
	s.t.Helper()
	if s.ended {
		return
	}
	s.ended = true
	if s.t.Failed() {
		s.loop.Abandon()
		return
	}
	if !s.await(func() bool { return len(s.left()) == 0 }, s.grace) {
		for _, what := range s.left() {
			s.t.Errorf("when the test ended %s", what)
		}
		s.loop.Abandon()
		return
	}
	if err := s.server.Shutdown(context.Background()); err != nil {
		s.t.Errorf("the server under test could not be shut down: %v", err)
	}
}

// left says what is left open, a sentence for each.
func (s *Server) left() []string {
	var left []string
	note := func(format string, args ...any) { left = append(left, fmt.Sprintf(format, args...)) }
	for _, number := range slices.Sorted(maps.Keys(s.open)) {
		note("the request %q was not finished", s.open[number])
	}
	connections, held := s.server.Connections(), s.loop.Held()
	if connections > 0 {
		note("%d connections were still open, although their clients had left", connections)
	}
	if others := held.Sockets - connections; others > 0 {
		note("%d sockets beside those of clients were still attached to the loop", others)
	}
	if held.Timers > 0 && connections == 0 {
		note("%d timers were still armed", held.Timers)
	}
	if held.Tasks > 0 {
		note("%d tasks were still scheduled", held.Tasks)
	}
	for _, source := range s.tracked {
		if !source.closed {
			note("the source %q was not closed", source.name)
		}
	}
	for _, goroutine := range s.goroutines() {
		note("a goroutine that was started on the loop was still running: %s", goroutine)
	}
	return left
}

// goroutines names the goroutines that were started on the loop. They have its label, and
// hand it on to those that they start. The profile has it in its form for people, whose
// records have an empty line between them.
func (s *Server) goroutines() []string {
	var profile bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&profile, 1); err != nil {
		return nil
	}
	var found []string
	for record := range strings.SplitSeq(profile.String(), "\n\n") {
		if !strings.Contains(record, `"servertest":"`+s.label+`"`) {
			continue
		}
		calls := callsOf(record)
		if !isIdle(calls) && !s.tolerates(record) {
			found = append(found, cmp.Or(strings.Join(calls, ", called by "), "it has hardly begun"))
		}
	}
	return found
}

// isIdle says whether a goroutine with these calls waits for work: of a pool, or as the stack
// that the next script of the server runs on. A stack that has work runs it below its main.
func isIdle(calls []string) bool {
	for i, call := range calls {
		switch {
		case strings.HasPrefix(call, "iter.Pull"), strings.HasPrefix(call, "runtime."):
		case strings.Contains(call, "panjf2000/ants"):
			return i == 0
		default:
			return strings.Contains(call, "pipeline.(*stack).main at ")
		}
	}
	return false
}

func (s *Server) tolerates(record string) bool {
	return slices.ContainsFunc(s.tolerated, func(function string) bool { return strings.Contains(record, function) })
}

// callsOf returns the functions of a record and the lines that they are in, the innermost
// first. The fields of a line are an address, the function and the place.
func callsOf(record string) []string {
	var calls []string
	for line := range strings.Lines(record) {
		fields := strings.Fields(line)
		if len(fields) == 4 && fields[0] == "#" && strings.HasPrefix(fields[1], "0x") {
			function, _, _ := strings.Cut(fields[2], "+0x")
			calls = append(calls, function+" at "+fields[3])
		}
	}
	return calls
}
