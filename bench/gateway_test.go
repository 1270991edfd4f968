package main

import (
	"bufio"
	"context"
	"errors"
	"strings"
	"testing"
)

// TestTinyRunOfGateways measures net/http's reverse proxy, which loses requests while its upstream
// is away, and has goroutines and a buffer for each stream.
func TestTinyRunOfGateways(t *testing.T) {
	s := tinySettings(t, "-rounds", "1", "-peers", "nethttp", "-only", "proxy*")
	found, report := runTiny(t, s)
	expectMeasures(t, found, map[string]map[string][]string{
		"proxy-hello":        {nethttpName: {keyCPU, keyRate, keyPeakMemory}},
		"proxy-download":     {nethttpName: {keyGibibyteCPU, keyBytesRate, keyPeakMemory}},
		"proxy-upload":       {nethttpName: {keyGibibyteCPU, keyBytesRate, keyPeakMemory}},
		"proxy-slow-readers": {nethttpName: {keyHeld, keyAhead, keyKernelQueues, keyGibibyteCPU, keyBytesRate, keyPeakMemory}},
		"proxy-streams":      {nethttpName: {keyStreamMemory, keyResidentAt(0), keyResidentAt(200), keyGoroutinesBefore, keyGoroutinesAdded}},
		"proxy-restart":      {nethttpName: {keyAsked, keyFailed, keyLatencyMax}},
	})
	for _, s := range found.Scenarios {
		if course := s.Servers[0].Course; s.Name == "proxy-slow-readers" && (len(course) < 2 || course[len(course)-1].In < course[0].In || course[0].Resident == 0) {
			t.Errorf("the course is %+v, expected moments at which bytes had come in and memory was in use", course)
		}
	}
	if !strings.Contains(report, "while its upstream restarts") {
		t.Errorf("the report is silent about the restart, expected its figures:\n%s", report)
	}
}

func TestServerIsRestarted(t *testing.T) {
	server, err := startScript(t.Context(), "echo http://127.0.0.1:1; "+runUntilStopped)
	if err != nil {
		t.Fatalf("the server was not started: %v", err)
	}
	before := server.pid()
	if err := server.restart(t.Context(), 0); err != nil {
		t.Fatalf("the server was not restarted: %v", err)
	}
	expectNoProcess(t, before)
	if after := server.pid(); after == before {
		t.Errorf("the process is still %d, expected another", after)
	}
	if err := server.stop(); err != nil {
		t.Errorf("stopping the server that was restarted gave the error %v, expected none", err)
	}
	expectNoProcess(t, server.pid())
}

func TestOutageThatIsInterrupted(t *testing.T) {
	server, err := startScript(t.Context(), "echo http://127.0.0.1:1; "+runUntilStopped)
	if err != nil {
		t.Fatalf("the server was not started: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := server.restart(ctx, startTimeout); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v, expected that the run was cancelled", err)
	}
	expectNoProcess(t, server.pid())
}

// TestUpstreamThatCannotBeBuilt holds that a run without an upstream ends before it measures gateways.
func TestUpstreamThatCannotBeBuilt(t *testing.T) {
	s, err := parseSettings([]string{"-only", "proxy-hello", "-peers", "nethttp"}, nil)
	if err != nil {
		t.Fatalf("the settings are not taken: %v", err)
	}
	t.Chdir(t.TempDir()) // no program is here
	h := &harness{settings: s, programs: t.TempDir()}
	if err := h.buildUpstream(t.Context()); !errors.Is(err, errNotHere) || !strings.Contains(err.Error(), "upstream") {
		t.Errorf("the error is %v, expected that the upstream is missing", err)
	}
	h.settings.scenarios = nil
	if err := h.buildUpstream(t.Context()); err != nil {
		t.Errorf("without gateways the error is %v, expected that no upstream is needed", err)
	}
}

func TestStreamsStayBelowTheLimitOfDescriptors(t *testing.T) {
	for subscribers, expected := range map[int][]int{200: {200}, 1000: {1000}, 5000: {1000, 5000}, 10000: {1000, 5000, 9900}} {
		steps := streamSteps(settings{Subscribers: subscribers})
		if len(steps) != len(expected) || steps[len(steps)-1] != expected[len(expected)-1] {
			t.Errorf("of %d subscribers the steps are %v, expected %v", subscribers, steps, expected)
		}
	}
}

func TestAudienceGrows(t *testing.T) {
	var commands strings.Builder
	a := &audience{&commands, bufio.NewReader(strings.NewReader(`{"report":"ready"}` + "\n" + `{"report":"published"}` + "\n"))}
	if err := a.grow(7); err != nil || commands.String() != "grow 7\n" {
		t.Errorf("the command is %q and the error %v, expected 7 more and that they are ready", commands.String(), err)
	}
	if err := a.grow(7); err == nil || !strings.Contains(err.Error(), `expected "ready"`) {
		t.Errorf("of another report the error is %v, expected that they are not ready", err)
	}
}
