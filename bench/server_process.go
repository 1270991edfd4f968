package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// How long a server may take to say its address, and to end after SIGTERM before it is killed.
const (
	startTimeout = 15 * time.Second
	stopTimeout  = 10 * time.Second
)

// A serverProcess is a server under measurement, in a process of its own. Whoever starts it
// calls stop, once, on every path.
type serverProcess struct {
	address string // host:port
	command *exec.Cmd
	output  *serverOutput
	exited  chan struct{} // closed when the process has ended and was waited for
	// patience is how long the process may take to end after SIGTERM.
	patience time.Duration
}

// startServer starts the program and returns when it has announced its address, with a line
// that contains "http://". When that does not happen in time, or ctx ends, the process is
// stopped and the error quotes what it printed.
func startServer(ctx context.Context, address, path string, arguments, environment []string) (*serverProcess, error) {
	output := &serverOutput{announced: make(chan struct{})}
	command := exec.Command(path, arguments...)
	command.Stdout, command.Stderr = output, output
	command.Env = environment
	command.WaitDelay = stopTimeout
	// A process group of its own: Ctrl-C in a terminal reaches the harness alone, which
	// then stops the server itself, with all its processes.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("the server cannot be started: %w", err)
	}
	s := &serverProcess{address: address, command: command, output: output, exited: make(chan struct{}), patience: stopTimeout}
	go func() {
		command.Wait() // how it ended is read from ProcessState
		close(s.exited)
	}()
	timeout := time.NewTimer(startTimeout)
	defer timeout.Stop()
	var err error
	select {
	case <-output.announced:
		return s, nil
	case <-s.exited:
		err = errors.New("the server ended before it announced its address")
	case <-timeout.C:
		err = fmt.Errorf("the server did not print a line with http:// and its address within %v", startTimeout)
	case <-ctx.Done():
		err = ctx.Err()
	}
	s.stop()
	return nil, fmt.Errorf("%w; it printed: %s", err, output.tail())
}

func (s *serverProcess) pid() int { return s.command.Process.Pid }

// residentBytes is the memory that the server has resident now, all its processes together.
func (s *serverProcess) residentBytes() (float64, error) { return s.sum(residentBytes) }

// peakResidentBytes is the most memory that each of its processes has had resident, together.
func (s *serverProcess) peakResidentBytes() (float64, error) { return s.sum(peakResidentBytes) }

func (s *serverProcess) sum(read func(pid int) (float64, error)) (float64, error) {
	processes, err := processesOfGroup(s.pid())
	if err != nil {
		return 0, err
	}
	return sumOver(processes, read)
}

// processorTime is what all its processes have used since the server was started.
func (s *serverProcess) processorTime() (sum processorTime, err error) {
	processes, err := processesOfGroup(s.pid())
	if err != nil {
		return processorTime{}, err
	}
	for _, pid := range processes {
		used, err := readProcessorTime(pid)
		if err != nil {
			return processorTime{}, err
		}
		sum = sum.plus(used)
	}
	return sum, nil
}

// stop ends the server's processes, by SIGTERM and if need be by SIGKILL, and returns when the
// first has ended. Processes that it leaves behind are killed. That it had ended before, by itself, is an
// error: what was measured then means nothing.
func (s *serverProcess) stop() error {
	// The group keeps the number of its first process taken while it has any other.
	defer syscall.Kill(-s.pid(), syscall.SIGKILL)
	select {
	case <-s.exited:
		return fmt.Errorf("the server had ended by itself (%v); it printed: %s", s.command.ProcessState, s.output.tail())
	default:
	}
	syscall.Kill(-s.pid(), syscall.SIGTERM)
	timeout := time.NewTimer(s.patience)
	defer timeout.Stop()
	select {
	case <-s.exited:
	case <-timeout.C:
		syscall.Kill(-s.pid(), syscall.SIGKILL)
		<-s.exited
	}
	return nil
}

// serverEnvironment is the environment every server gets: the caller's, with the same number
// of processors for all and without what would tune one Go runtime against another.
func serverEnvironment(processors int) []string {
	var environment []string
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		switch name {
		case "GOMAXPROCS", "GOGC", "GOMEMLIMIT", "GODEBUG":
		default:
			environment = append(environment, variable)
		}
	}
	return append(environment, fmt.Sprintf("GOMAXPROCS=%d", processors))
}

// A serverOutput keeps the last of what a server prints and notices its address. Safe for use
// by many goroutines.
type serverOutput struct {
	announced chan struct{} // closed at the first "http://"

	mu   sync.Mutex
	kept []byte
	seen bool
}

const keptOutput = 4 << 10

// Write takes what the server printed. It never fails.
func (o *serverOutput) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.kept = append(o.kept, p...)
	if !o.seen && bytes.Contains(o.kept, []byte("http://")) {
		o.seen = true
		close(o.announced)
	}
	if len(o.kept) > keptOutput {
		o.kept = append(o.kept[:0], o.kept[len(o.kept)-keptOutput:]...)
	}
	return len(p), nil
}

func (o *serverOutput) tail() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.kept) == 0 {
		return "nothing"
	}
	return string(bytes.TrimSpace(o.kept))
}
