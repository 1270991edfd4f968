package main

import (
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"
)

func TestProcessCPUTimeCountsThreadsThatHaveEnded(t *testing.T) {
	const spun = 20 * time.Millisecond // by each of two threads: one of them may be the first, which never ends
	pid := os.Getpid()
	before := readCPUTime(t, pid)
	var spinning sync.WaitGroup
	for range 2 {
		spinning.Go(func() {
			runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
			for start := threadCPUTime(); threadCPUTime()-start < spun; {
			}
		})
	}
	spinning.Wait()
	if used := readCPUTime(t, pid) - before; used < 2*spun {
		t.Errorf("the process used %v of processor time, expected at least the %v that two ended threads used", used, 2*spun)
	}
}

func TestProcessCPUTimeOfNoProcess(t *testing.T) {
	command := exec.Command("true")
	if err := command.Run(); err != nil {
		t.Skipf("no process to end: %v", err)
	}
	if used, err := processCPUTime(command.Process.Pid); err == nil {
		t.Errorf("the processor time of an ended process is %v, expected an error", used)
	}
}

func readCPUTime(t *testing.T, pid int) time.Duration {
	t.Helper()
	used, err := processCPUTime(pid)
	if err != nil {
		t.Fatalf("the processor time of this process cannot be read: %v", err)
	}
	return used
}

func threadCPUTime() time.Duration {
	const rusageThread = 1
	var usage syscall.Rusage
	if err := syscall.Getrusage(rusageThread, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
