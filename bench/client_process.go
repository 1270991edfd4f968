package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// withClient runs use while a client program runs, which reads commands and prints reports in
// lines and ends with its standard input. It returns when the program has ended. When that
// failed, its own reason is the error, because what use saw of it is a consequence.
func withClient(ctx context.Context, path string, arguments []string, timeout time.Duration,
	use func(commands io.Writer, reports *bufio.Reader) error) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	client := exec.CommandContext(ctx, path, arguments...)
	var complaints bytes.Buffer
	client.Stderr = &complaints
	commands, err := client.StdinPipe()
	if err != nil {
		return err
	}
	reports, err := client.StdoutPipe()
	if err != nil {
		return err
	}
	if err := client.Start(); err != nil {
		return fmt.Errorf("%s cannot be started: %w", filepath.Base(path), err)
	}
	err = use(commands, bufio.NewReader(reports))
	commands.Close() // ends the client
	if waitErr := client.Wait(); waitErr != nil {
		err = fmt.Errorf("%s failed: %w; it printed: %s", filepath.Base(path), waitErr, strings.TrimSpace(complaints.String()))
	}
	return err
}

// rest waits for the time, or returns why the run is over.
func rest(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
