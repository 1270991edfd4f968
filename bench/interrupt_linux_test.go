package main

import (
	"bufio"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestInterruptLeavesNoProcess runs the program itself and interrupts it while it measures
// with wrk and with a client program of its own. Processes that it left would become children of the
// test, which asks for them.
func TestInterruptLeavesNoProcess(t *testing.T) {
	tinySettings(t) // skips the test where it cannot run
	program := filepath.Join(builtPrograms, "bench")
	if output, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("the program does not build: %v\n%s", err, output)
	}
	adoptOrphans(t)
	tests := []struct {
		scenario string
		signal   syscall.Signal
	}{{"hello", syscall.SIGINT}, {"fanout-100", syscall.SIGTERM}}
	for _, test := range tests {
		results := filepath.Join(t.TempDir(), "results.json")
		arguments := append([]string{"-only", test.scenario, "-peers", "floor,nethttp", "-rounds", "100",
			"-programs", builtPrograms, "-results", results}, tinyArguments...)
		command := exec.CommandContext(t.Context(), program, arguments...)
		said := interruptAtFirstRound(t, command, test.signal)
		if code := command.ProcessState.ExitCode(); code != 1 || !strings.Contains(said, "stopped: context canceled") {
			t.Errorf("%s interrupted by %v ends with status %d, expected 1 and that it was stopped: %s", test.scenario, test.signal, code, said)
		}
		expectNoOrphans(t)
	}
}

// adoptOrphans makes processes whose parent has ended children of the test.
func adoptOrphans(t *testing.T) {
	t.Helper()
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		t.Skipf("orphans cannot be adopted: %v", err)
	}
	t.Cleanup(func() { unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0) })
}

// TestWorkersAreStoppedWithTheirServer stops a server whose worker would outlive it.
func TestWorkersAreStoppedWithTheirServer(t *testing.T) {
	adoptOrphans(t)
	for _, worker := range []string{"tail -f /dev/null", "(trap '' TERM; exec tail -f /dev/null) >/dev/null 2>&1"} {
		server, err := startScript(t.Context(), worker+" & echo http://127.0.0.1:1; "+runUntilStopped)
		if err != nil {
			t.Fatalf("the server was not started: %v", err)
		}
		processes, err := processesOfGroup(server.pid())
		if err != nil || len(processes) != 2 {
			t.Fatalf("the server has the processes %v with error %v, expected itself and a worker", processes, err)
		}
		if err := server.stop(); err != nil {
			t.Errorf("stopping the server failed: %v", err)
		}
		var status syscall.WaitStatus
		if _, err := syscall.Wait4(processes[1], &status, 0, nil); err != nil || !status.Signaled() {
			t.Errorf("the worker ended with %v and error %v, expected that a signal ended it", status, err)
		}
	}
}

// interruptAtFirstRound runs the command to its end and sends it the signal as soon as one
// measurement is over, when the next one begins. It returns what the command said.
func interruptAtFirstRound(t *testing.T, command *exec.Cmd, signal syscall.Signal) (said string) {
	t.Helper()
	progress, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatalf("the program cannot be started: %v", err)
	}
	sent := false
	for lines := bufio.NewScanner(progress); lines.Scan(); {
		said += lines.Text() + "\n"
		if !sent && strings.Contains(lines.Text(), "round 1 of 100") {
			sent = true
			if err := command.Process.Signal(signal); err != nil {
				t.Errorf("the program cannot be interrupted: %v", err)
			}
		}
	}
	command.Wait() // its status is read from ProcessState
	return said
}

// expectNoOrphans holds that the program has left no process that still runs. One that was
// killed, and whose end the program had no time to take note of, has ended.
func expectNoOrphans(t *testing.T) {
	t.Helper()
	for {
		pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		if errors.Is(err, syscall.ECHILD) {
			return
		}
		if pid == 0 || err != nil {
			t.Errorf("a process is left that still runs (%v), expected none", err)
			return
		}
	}
}
