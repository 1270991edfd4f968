package main

import (
	"fmt"
	"os"
	"strconv"
)

// processesOfGroup returns the processes of the group, of which the first has the group's
// number. A server may have workers in processes of their own, which are its expense too.
func processesOfGroup(group int) ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("the processes cannot be listed: %w", err)
	}
	var processes []int
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		fields, err := readStat(pid)
		if err != nil {
			continue // it has ended meanwhile
		}
		if fields[statGroup] == strconv.Itoa(group) {
			processes = append(processes, pid)
		}
	}
	if len(processes) == 0 {
		return nil, fmt.Errorf("there is no process of the group %d", group)
	}
	return processes, nil
}

// sumOver adds what read says of each of the processes.
func sumOver(processes []int, read func(pid int) (float64, error)) (sum float64, err error) {
	for _, pid := range processes {
		value, err := read(pid)
		if err != nil {
			return 0, err
		}
		sum += value
	}
	return sum, nil
}
