package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Shell scripts stand for servers. tail -f /dev/null runs until it is stopped.
const runUntilStopped = "exec tail -f /dev/null"

func startScript(ctx context.Context, script string) (*serverProcess, error) {
	return startServer(ctx, "127.0.0.1:1", "/bin/sh", []string{"-c", script}, serverEnvironment(1))
}

func TestServerIsStartedAndStopped(t *testing.T) {
	server, err := startScript(t.Context(), "echo listening on http://127.0.0.1:1; "+runUntilStopped)
	if err != nil {
		t.Fatalf("the server was not started: %v", err)
	}
	if err := server.stop(); err != nil {
		t.Errorf("stopping a server that runs gave the error %v, expected none", err)
	}
	expectNoProcess(t, server.pid())
}

func TestServerThatIgnoresSIGTERM(t *testing.T) {
	server, err := startScript(t.Context(), "trap '' TERM; echo http://127.0.0.1:1; "+runUntilStopped)
	if err != nil {
		t.Fatalf("the server was not started: %v", err)
	}
	server.patience = 0
	if err := server.stop(); err != nil {
		t.Errorf("stopping a server that ignores SIGTERM gave the error %v, expected none", err)
	}
	expectNoProcess(t, server.pid())
	if status := server.command.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != syscall.SIGKILL {
		t.Errorf("the server ended by %v, expected SIGKILL", status)
	}
}

func TestServerThatEndsBeforeItsAddress(t *testing.T) {
	_, err := startScript(t.Context(), "echo the port is taken >&2; exit 1")
	if err == nil || !strings.Contains(err.Error(), "the port is taken") {
		t.Errorf("the error is %v, expected one that quotes what the server printed", err)
	}
}

func TestServerThatEndsWhileMeasured(t *testing.T) {
	server, err := startScript(t.Context(), "echo http://127.0.0.1:1; exit 3")
	if err != nil {
		// The end may be seen before the address: the same finding.
		if !strings.Contains(err.Error(), "ended before") {
			t.Fatalf("the error is %v, expected none or that the server ended", err)
		}
		return
	}
	<-server.exited
	if err := server.stop(); err == nil || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("stopping a server that had ended gave the error %v, expected one with its status", err)
	}
}

func TestServerIsStoppedWhenTheRunIs(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "pid")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatalf("no fifo: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	started := make(chan int, 1)
	go func() {
		started <- readPid(fifo)
		cancel()
	}()
	if _, err := startScript(ctx, "echo $$ > "+fifo+"; "+runUntilStopped); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v, expected that the run was cancelled", err)
	}
	expectNoProcess(t, <-started)
}

func TestServerEnvironmentIsTheSameForAll(t *testing.T) {
	t.Setenv("GOGC", "off")
	t.Setenv("GOMAXPROCS", "1")
	environment := strings.Join(serverEnvironment(2), "\n")
	if strings.Contains(environment, "GOGC=") || strings.Count(environment, "GOMAXPROCS=") != 1 || !strings.Contains(environment, "GOMAXPROCS=2") {
		t.Errorf("the environment is %s\nexpected GOMAXPROCS=2 once and no GOGC", environment)
	}
}

// readPid returns 0 when the fifo holds no number, which no process has.
func readPid(fifo string) int {
	text, err := os.ReadFile(fifo)
	if err != nil {
		return 0
	}
	pid := 0
	for _, digit := range strings.TrimSpace(string(text)) {
		pid = pid*10 + int(digit-'0')
	}
	return pid
}

func expectNoProcess(t *testing.T, pid int) {
	t.Helper()
	if pid <= 0 {
		t.Fatalf("the pid is %d, expected that of a process", pid)
	}
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("process %d: %v, expected it to have ended and to have been waited for", pid, err)
	}
}
