package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// machine says what a run was made on and with.
type machine struct {
	Processor   string `json:"processor"`
	Processors  int    `json:"processors"`
	Memory      string `json:"memory"`
	Kernel      string `json:"kernel"`
	Go          string `json:"go"`
	Wrk         string `json:"wrk"`
	AB          string `json:"ab"`
	Commit      string `json:"commit"`
	LoadAverage string `json:"load_average"` // when the run began: other work spoils figures
}

// describeMachine leaves out what it cannot find: none of it decides whether a run counts.
func describeMachine(ctx context.Context, wrk, ab string) machine {
	return machine{
		Processor:   fieldOfFile("/proc/cpuinfo", "model name"),
		Processors:  runtime.NumCPU(),
		Memory:      fieldOfFile("/proc/meminfo", "MemTotal"),
		Kernel:      "Linux " + firstLine("/proc/sys/kernel/osrelease") + " " + runtime.GOARCH,
		Go:          runtime.Version(),
		Wrk:         wrk,
		AB:          ab,
		Commit:      describeCommit(ctx),
		LoadAverage: firstLine("/proc/loadavg"),
	}
}

// describeCommit returns the commit, and whether the files differ from it.
func describeCommit(ctx context.Context) string {
	hash, err := exec.CommandContext(ctx, "git", "rev-parse", "--short=12", "HEAD").Output()
	if err != nil {
		return "none"
	}
	commit := strings.TrimSpace(string(hash))
	changes, err := exec.CommandContext(ctx, "git", "status", "--porcelain").Output()
	if err != nil || len(changes) > 0 {
		commit += " with changes"
	}
	return commit
}

// fieldOfFile returns the value of the first line "name : value".
func fieldOfFile(path, name string) string {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Sprintf("unknown (%v)", err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		key, value, found := strings.Cut(lines.Text(), ":")
		if found && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

func firstLine(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return "unknown"
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return line
}
