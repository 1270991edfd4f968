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

func TestProcessorTimeIsSplitByItsTicks(t *testing.T) {
	before := processorTime{total: 1000, user: 10_000, system: 20_000}
	used := processorTime{total: 21_000, user: 20_000, system: 50_000}.since(before)
	if used != (processorTime{20_000, 5_000, 15_000}) {
		t.Errorf("of 20 ms with ticks of 10 and 30 ms, %+v were used, expected the exact total in these shares", used)
	}
	found := sample{}
	used.addTo(found, 10)
	if found[keyCPU] != 2000 || found[keyUserCPU] != 500 || found[keySystemCPU] != 1500 {
		t.Errorf("a tenth of it is %v, expected 2,000 µs, of which 500 in user mode", found)
	}
	found = sample{}
	processorTime{total: 5}.addTo(found, 1)
	if _, known := found[keyUserCPU]; known || found[keyCPU] != 5 {
		t.Errorf("without a tick the sample is %v, expected no split", found)
	}
}

func TestGroupHasAllItsProcesses(t *testing.T) {
	server, err := startScript(t.Context(), "tail -f /dev/null & echo http://127.0.0.1:1; "+runUntilStopped)
	if err != nil {
		t.Fatalf("the server was not started: %v", err)
	}
	processes, err := processesOfGroup(server.pid())
	if err != nil || len(processes) != 2 {
		t.Errorf("the group has the processes %v with error %v, expected the server and its worker", processes, err)
	}
	// While one of them becomes another program, it has hardly any memory: so until both have.
	for tries := 1; ; tries++ {
		alone, err := residentBytes(server.pid())
		both, sumErr := server.residentBytes()
		if err == nil && sumErr == nil && both > alone && alone > 0 {
			break
		}
		if tries == 10_000 {
			t.Fatalf("the server has %v bytes of which the first process has %v (%v, %v), expected more than that", both, alone, err, sumErr)
		}
	}
	if used, err := server.processorTime(); err != nil || used.total <= 0 {
		t.Errorf("the server used %v with error %v, expected some processor time", used, err)
	}
	if err := server.stop(); err != nil {
		t.Errorf("stopping the server failed: %v", err)
	}
}
