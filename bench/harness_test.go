package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// builtPrograms is where all tests build programs, so that each is built once.
var builtPrograms string

func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "penstock-bench-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "no folder for the programs:", err)
		os.Exit(1)
	}
	builtPrograms = folder
	status := m.Run()
	os.RemoveAll(folder)
	os.Exit(status)
}

var tinyArguments = []string{
	"-seconds", "1", "-warmup", "0", "-connections", "300", "-echobytes", "1000000", "-uploadbytes", "3000000",
	"-readers", "20", "-subscribers", "200", "-soak-seconds", "1",
}

// tinySettings are those of a run of seconds; the test is skipped where it cannot run.
func tinySettings(t *testing.T, arguments ...string) settings {
	t.Helper()
	if _, err := findWrk(1); err != nil {
		t.Skip(err)
	}
	if _, err := exec.LookPath("cc"); err != nil {
		t.Skip("there is no C compiler (cc) to build the floor with")
	}
	arguments = append(arguments, tinyArguments...)
	arguments = append(arguments, "-results", filepath.Join(t.TempDir(), "results", "latest.json"))
	s, err := parseSettings(arguments, io.Discard)
	if err != nil {
		t.Fatalf("the settings %v are not taken: %v", arguments, err)
	}
	s.programs = builtPrograms
	return s
}

// runTiny runs and returns what was found, as the file of results has it, and the report.
func runTiny(t *testing.T, s settings) (found results, report string) {
	t.Helper()
	var out, progress strings.Builder
	if err := run(t.Context(), s, &out, &progress); err != nil {
		t.Fatalf("the run failed: %v\n%s", err, progress.String())
	}
	expectNoChildren(t)
	text, err := os.ReadFile(s.resultsPath)
	if err != nil {
		t.Fatalf("the run left no results: %v", err)
	}
	if err := json.Unmarshal(text, &found); err != nil {
		t.Fatalf("the results are not JSON: %v", err)
	}
	return found, out.String()
}

// expectMeasures holds that each server has one round of each measure, above 0.
func expectMeasures(t *testing.T, found results, expected map[string]map[string][]string) {
	t.Helper()
	if len(found.Scenarios) != len(expected) {
		t.Errorf("the run has %d scenarios, expected %d", len(found.Scenarios), len(expected))
	}
	for _, scenario := range found.Scenarios {
		if len(scenario.Servers) != len(expected[scenario.Name]) {
			t.Errorf("%s has results of %d servers, expected %d", scenario.Name, len(scenario.Servers), len(expected[scenario.Name]))
		}
		for _, server := range scenario.Servers {
			for _, key := range expected[scenario.Name][server.Label] {
				if value := server.Measures[key]; value.Median <= 0 || len(value.Rounds) != 1 {
					t.Errorf("%s of %s in %s is %+v, expected one round above 0", key, server.Label, scenario.Name, value)
				}
			}
		}
	}
}

func TestTinyRun(t *testing.T) {
	s := tinySettings(t, "-rounds", "1", "-only", "pipelined,idle,echo,fanout,subscribers", "-peers", "floor,nethttp")
	found, report := runTiny(t, s)
	expected := map[string]map[string][]string{
		// Not the latency: wrk now and then gives 0 for a percentile of pipelined requests, and
		// it is none of this scenario's measures.
		"pipelined": {floorName: {keyCPU, keyRate, keyCoresUsed}, nethttpName: {keyCPU, keyRate}},
		"idle":      {nethttpName: {keyIdleMemory, keyResidentAt(0), keyResidentAt(300)}},
		"echo":      {nethttpName: {keyPeakMemory, keyUnderWay, keyEchoSeconds}},
		"fanout": {
			floorName:   {keyDeliveryCPU, keyDeliveryRate, keyDeliveryBytes, keyLatencyP99, keyCoresUsed},
			nethttpName: {keyDeliveryCPU, keyDeliveryRate, keyDeliveryBytes},
		},
		"subscribers": {nethttpName: {keySubscriberMemory}},
	}
	expectMeasures(t, found, expected)
	if !strings.Contains(report, "floor / nethttp") {
		t.Errorf("the report compares nothing, expected floor / nethttp:\n%s", report)
	}
}

// TestRunThatIsInterrupted cancels the run, as SIGINT does, while a server is being measured.
func TestRunThatIsInterrupted(t *testing.T) {
	s := tinySettings(t, "-rounds", "100", "-only", "hello", "-peers", "floor")
	ctx, cancel := context.WithCancel(t.Context())
	err := run(ctx, s, io.Discard, cancelAt{"round 1 of 100", cancel})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v, expected that the run was cancelled", err)
	}
	expectNoChildren(t)
	if _, err := os.Stat(s.resultsPath); err == nil {
		t.Error("the interrupted run left results, expected none")
	}
}

func TestServerIsStoppedWhenItsUseFails(t *testing.T) {
	h, err := newHarness(t.Context(), tinySettings(t, "-only", "hello", "-peers", "floor"), io.Discard)
	if err != nil {
		t.Fatalf("no harness: %v", err)
	}
	defer h.close()
	if err := h.prepareFloor(t.Context(), &h.settings.scenarios[0]); err != nil {
		t.Fatalf("the floor is not prepared: %v", err)
	}
	reason := errors.New("the use failed")
	err = h.withServer(t.Context(), h.contenders[0], roleHello, func(*serverProcess) error { return reason })
	if !errors.Is(err, reason) {
		t.Errorf("the error is %v, expected that of the use", err)
	}
	expectNoChildren(t)
}

// TestRunWithoutHello holds that a run builds and borrows only what its scenarios need.
func TestRunWithoutHello(t *testing.T) {
	h, err := newHarness(t.Context(), tinySettings(t, "-only", "fanout", "-peers", "gnet,floor"), io.Discard)
	if err != nil {
		t.Fatalf("no harness: %v", err)
	}
	defer h.close()
	if len(h.contenders) != 1 || h.contenders[0].label != floorName || h.contenders[0].binaries[roleHello] != "" {
		t.Errorf("the contenders are %v, expected the floor with its program for the fanout alone", h.contenders)
	}
}

func TestAProgramThatIsNotThereLeavesTheOthers(t *testing.T) {
	c := &contender{label: "some", binaries: map[role]string{}, kind: serverKind{
		programs: map[role]string{roleHello: "peers/nethttp", roleEcho: t.TempDir()},
	}}
	var reasons []error
	err := c.build(t.Context(), t.TempDir(), []role{roleHello, roleEcho, roleFanout}, func(reason error) { reasons = append(reasons, reason) })
	if err != nil || len(reasons) != 1 || len(c.binaries) != 1 || c.binaries[roleHello] == "" || c.version == "" {
		t.Errorf("the programs are %v of version %q, left out are %v, with error %v; expected only the missing one to be left out",
			c.binaries, c.version, reasons, err)
	}
}

func TestServerWithoutSourceIsLeftOut(t *testing.T) {
	_, err := buildGo(t.Context(), t.TempDir(), filepath.Join(t.TempDir(), "program"))
	if !errors.Is(err, errNotHere) {
		t.Errorf("building an empty folder gave the error %v, expected that it is left out", err)
	}
}

func TestRunOutsideItsFolder(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := run(t.Context(), settings{}, io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), "own folder") {
		t.Errorf("the error is %v, expected that bench must be run in its own folder", err)
	}
}

// cancelAt cancels when the text is written to it.
type cancelAt struct {
	text   string
	cancel func()
}

func (c cancelAt) Write(p []byte) (int, error) {
	if strings.Contains(string(p), c.text) {
		c.cancel()
	}
	return len(p), nil
}

// expectNoChildren holds that every process the harness started has ended and been waited for.
func expectNoChildren(t *testing.T) {
	t.Helper()
	pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
	if !errors.Is(err, syscall.ECHILD) {
		t.Errorf("process %d was left (%v), expected no child processes", pid, err)
	}
}

func TestMissingProgramsAreNamed(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, err := findWrk(1); !errors.Is(err, errNoWrk) {
		t.Errorf("without wrk the error is %v, expected that it must be installed", err)
	}
	if _, err := buildFloor(t.Context(), "floor/floor.c", filepath.Join(t.TempDir(), "floor")); !errors.Is(err, errNotHere) {
		t.Errorf("without a C compiler the error is %v, expected that the floor is left out", err)
	}
}
