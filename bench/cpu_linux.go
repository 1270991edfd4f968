package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A processorTime is what processes have used, in microseconds, in all their threads, those
// that have ended included.
type processorTime struct{ total, user, system float64 }

// since returns what was used between two readings. user and system are counted in ticks of
// the clock, 10 ms each, and only their shares of the exact total are taken from them.
func (t processorTime) since(earlier processorTime) processorTime {
	used := processorTime{t.total - earlier.total, t.user - earlier.user, t.system - earlier.system}
	if ticks := used.user + used.system; ticks > 0 {
		used.user, used.system = used.total*used.user/ticks, used.total*used.system/ticks
	}
	return used
}

func (t processorTime) plus(other processorTime) processorTime {
	return processorTime{t.total + other.total, t.user + other.user, t.system + other.system}
}

// addTo adds what one request has cost. Of a run shorter than a tick, the two modes are not known.
func (t processorTime) addTo(s sample, requests float64) {
	s[keyCPU] = t.total / requests
	if t.user+t.system > 0 {
		s[keyUserCPU], s[keySystemCPU] = t.user/requests, t.system/requests
	}
}

// readProcessorTime returns what the process has used since it started.
func readProcessorTime(pid int) (processorTime, error) {
	total, err := processCPUTime(pid)
	if err != nil {
		return processorTime{}, err
	}
	fields, err := readStat(pid)
	if err != nil {
		return processorTime{}, err
	}
	ticks := func(field string) float64 {
		count, parseErr := strconv.ParseUint(field, 10, 63)
		if parseErr != nil {
			err = fmt.Errorf("/proc/%d/stat has %q where the ticks of the clock stand: %w", pid, field, parseErr)
		}
		return float64(count) * 1e6 / userHertz
	}
	found := processorTime{
		total:  float64(total.Nanoseconds()) / 1e3,
		user:   ticks(fields[statUserTime]),
		system: ticks(fields[statSystemTime]),
	}
	return found, err
}

// Indexes of what readStat returns, see proc_pid_stat(5), and the ticks of a second that
// Linux shows to programs on all its architectures that Go has.
const (
	statGroup      = 2
	statUserTime   = 11
	statSystemTime = 12
	statFields     = 13
	userHertz      = 100
)

// readStat returns the fields of /proc/PID/stat behind the name, which may hold anything.
func readStat(pid int) ([]string, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil, fmt.Errorf("the process cannot be looked at: %w", err)
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < statFields {
		return nil, fmt.Errorf("/proc/%d/stat has %d fields behind the name, expected at least %d", pid, len(fields), statFields)
	}
	return fields, nil
}

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
