package main

import (
	"fmt"
	"syscall"
)

// raiseDescriptorLimit raises the soft limit of open descriptors to the hard one and returns
// it. It must be syscall.Setrlimit: a Go process gives its children back the soft limit that
// it was started with, unless the program itself has set another.
func raiseDescriptorLimit() (uint64, error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("the limit of open descriptors cannot be read: %w", err)
	}
	limit.Cur = limit.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("the limit of open descriptors cannot be raised to %d: %w", limit.Max, err)
	}
	return limit.Cur, nil
}
