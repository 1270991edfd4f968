package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
)

// A harness has what every scenario needs: the settings, the built programs, the request that
// all servers are sent and the answer that the floor repeats. It runs one server at a time.
type harness struct {
	settings   settings
	contenders []*contender
	wrk        *wrkLoad // nil when no scenario of this run needs it
	folder     string   // of built programs, removed at the end

	// Paths of the built client programs.
	holder, subscribers string

	request  []byte
	floor    floorInput
	progress io.Writer
}

// newHarness builds all programs and prepares what the floor is told. The caller calls close.
func newHarness(ctx context.Context, s settings, progress io.Writer) (*harness, error) {
	folder, err := os.MkdirTemp("", "penstock-bench-")
	if err != nil {
		return nil, fmt.Errorf("no folder for the programs under measurement: %w", err)
	}
	h := &harness{settings: s, folder: folder, progress: progress}
	if err := h.prepare(ctx); err != nil {
		h.close()
		return nil, err
	}
	return h, nil
}

func (h *harness) close() { os.RemoveAll(h.folder) }

func (h *harness) say(format string, arguments ...any) {
	fmt.Fprintf(h.progress, format+"\n", arguments...)
}

func (h *harness) prepare(ctx context.Context) error {
	if _, err := raiseDescriptorLimit(); err != nil {
		return err
	}
	h.request = []byte("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
	if needsWrk(h.settings.scenarios) {
		wrk, err := findWrk(h.settings.Processors)
		if err != nil {
			return err
		}
		h.wrk = wrk
		if h.request, err = wrk.captureRequest(ctx); err != nil {
			return err
		}
	}
	if err := h.buildAll(ctx); err != nil {
		return err
	}
	return h.prepareFloor(ctx)
}

// buildAll builds the client programs and the contenders, and drops those that cannot be here
// or have no part in the run.
func (h *harness) buildAll(ctx context.Context) error {
	h.say("building the programs")
	build := exec.CommandContext(ctx, "go", "build", "-o", h.folder+"/", "./holder", "./subscribers")
	if output, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("the client programs do not build: %w\n%s", err, output)
	}
	h.holder, h.subscribers = filepath.Join(h.folder, "holder"), filepath.Join(h.folder, "subscribers")
	contenders, err := parseContenders(h.settings.Peers)
	if err != nil {
		return err
	}
	for _, c := range contenders {
		err := c.build(ctx, h.folder, rolesOf(h.settings.scenarios), func(reason error) { h.say("%v", reason) })
		if err != nil {
			return err
		}
		if len(c.binaries) > 0 {
			h.contenders = append(h.contenders, c)
		}
	}
	if len(h.contenders) == 0 {
		return fmt.Errorf("none of the servers %s can be measured here", h.settings.Peers)
	}
	return nil
}

// prepareFloor borrows the answer of the first server that is not a floor, Penstock by
// default, so that the floor sends the same bytes.
func (h *harness) prepareFloor(ctx context.Context) error {
	answer := []byte(standInAnswer)
	for _, c := range h.contenders {
		if c.kind.isFloor || c.binaries[roleHello] == "" {
			continue
		}
		err := h.withServer(ctx, c, roleHello, func(s *serverProcess) error {
			var err error
			answer, err = checkServer(ctx, s.address, h.request, nil)
			return err
		})
		if err != nil {
			return fmt.Errorf("%s: %w", c.label, err)
		}
		h.say("the floor answers with the %d bytes of %s, to every %d bytes of requests", len(answer), c.label, len(h.request))
		break
	}
	h.floor = floorInput{
		answerFile:    filepath.Join(h.folder, "answer"),
		requestLength: len(h.request),
		threads:       h.settings.Processors,
	}
	if err := os.WriteFile(h.floor.answerFile, answer, 0o600); err != nil {
		return fmt.Errorf("the floor's answer cannot be written: %w", err)
	}
	return nil
}

// withServer runs use while the contender serves, and stops the server on every path.
func (h *harness) withServer(ctx context.Context, c *contender, r role, use func(*serverProcess) error) (err error) {
	port, err := freePort()
	if err != nil {
		return err
	}
	address := fmt.Sprintf("127.0.0.1:%d", port)
	path, arguments := c.command(r, address, port, h.floor)
	server, err := startServer(ctx, address, path, arguments, serverEnvironment(h.settings.Processors))
	if err != nil {
		return err
	}
	defer func() {
		if stopErr := server.stop(); err == nil {
			err = stopErr
		} else if stopErr != nil {
			err = fmt.Errorf("%w; %w", err, stopErr)
		}
	}()
	return use(server)
}

// withCheckedServer is withServer for the role of hello, after the server's answers were
// checked. use also gets the first answer.
func (h *harness) withCheckedServer(ctx context.Context, c *contender, use func(s *serverProcess, answer []byte) error) error {
	var exact []byte
	if c.kind.isFloor {
		var err error
		if exact, err = os.ReadFile(h.floor.answerFile); err != nil {
			return err
		}
	}
	return h.withServer(ctx, c, roleHello, func(s *serverProcess) error {
		answer, err := checkServer(ctx, s.address, h.request, exact)
		if err != nil {
			return fmt.Errorf("the server does not answer as it must: %w", err)
		}
		return use(s, answer)
	})
}

// freePort returns a port that was free a moment ago. It is bound without SO_REUSEPORT, so
// that a port on which anybody listens is refused.
func freePort() (int, error) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("no free port: %w", err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}
