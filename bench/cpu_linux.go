package main

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// processCPUTime returns the processor time, user and system together, that the process has
// used since it started, in all its threads, those that have ended included.
//
// It reads the process's own clock, as clock_getcpuclockid(3) does: the scheduler's exact
// sum in nanoseconds, of which /proc/PID/stat shows the same rounded to clock ticks, and
// which the schedstat files of the living threads lack the ended threads of.
func processCPUTime(pid int) (time.Duration, error) {
	const schedulerClock = 2 // CPUCLOCK_SCHED, for the whole process
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|schedulerClock), &ts); err != nil {
		return 0, fmt.Errorf("the processor time of process %d cannot be read: %w", pid, err)
	}
	return time.Duration(ts.Nano()), nil
}
