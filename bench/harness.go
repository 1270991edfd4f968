package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
)

// A harness has what every scenario needs: the settings, the built programs, and what the
// floor of the present scenario is told. It runs one server at a time.
type harness struct {
	settings   settings
	contenders []*contender
	wrk        *wrkLoad // nil when no scenario of this run needs it
	ab         *abLoad  // the same
	folder     string   // removed at the end
	programs   string   // the folder of the built programs, that one unless the settings name another

	// upstream stands behind gateways, and has its programs for those of this run.
	upstream *contender

	// Paths of the built client programs.
	holder, subscribers, readers string

	requests map[string][]byte   // that the tools were seen to send
	courses  map[string][]moment // by the contender's label, until the scenario's result takes them
	floor    floorInput
	progress io.Writer
}

// newHarness builds all programs and prepares what the floor is told. The caller calls close.
func newHarness(ctx context.Context, s settings, progress io.Writer) (*harness, error) {
	folder, err := os.MkdirTemp("", "penstock-bench-")
	if err != nil {
		return nil, fmt.Errorf("no folder for what the run needs: %w", err)
	}
	h := &harness{settings: s, folder: folder, programs: cmp.Or(s.programs, folder), progress: progress, requests: map[string][]byte{}, courses: map[string][]moment{}}
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

func (h *harness) prepare(ctx context.Context) (err error) {
	if _, err = raiseDescriptorLimit(); err != nil {
		return err
	}
	for _, needed := range toolsOf(h.settings.scenarios) {
		switch needed {
		case toolWrk:
			h.wrk, err = findWrk(h.settings.Processors)
		case toolAB:
			h.ab, err = findAB()
		}
		if err != nil {
			return err
		}
	}
	return h.buildAll(ctx)
}

// buildAll builds the client programs and the contenders, and drops those that cannot be here
// or have no part in the run.
func (h *harness) buildAll(ctx context.Context) error {
	h.say("building the programs")
	build := exec.CommandContext(ctx, "go", "build", "-o", h.programs+"/", "./holder", "./subscribers", "./readers")
	if output, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("the client programs do not build: %w\n%s", err, output)
	}
	h.holder, h.subscribers = filepath.Join(h.programs, "holder"), filepath.Join(h.programs, "subscribers")
	h.readers = filepath.Join(h.programs, "readers")
	contenders, err := parseContenders(h.settings.Peers)
	if err != nil {
		return err
	}
	if err := h.buildUpstream(ctx); err != nil {
		return err
	}
	for _, c := range contenders {
		err := c.build(ctx, h.programs, rolesOf(h.settings.scenarios), func(reason error) { h.say("%v", reason) })
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

// withServer runs use while the contender serves, and stops the server on every path. A gateway has
// its upstream behind it.
func (h *harness) withServer(ctx context.Context, c *contender, r role, use func(*serverProcess) error) error {
	if upstreamRoles[r] != "" {
		return h.withGateway(ctx, c, r, func(gateway, _ *serverProcess) error { return use(gateway) })
	}
	return h.withProgram(ctx, c, r, nil, use)
}

// withProgram runs use while the contender's program for the role runs, which gets more arguments.
func (h *harness) withProgram(ctx context.Context, c *contender, r role, more []string, use func(*serverProcess) error) (err error) {
	port, err := freePort()
	if err != nil {
		return err
	}
	address := fmt.Sprintf("127.0.0.1:%d", port)
	path, arguments := c.command(r, address, port, h.floor)
	arguments = append(arguments, more...)
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

// withCheckedServer is withServer after the server's answers to the load's requests were
// checked. use also gets the first answer, of a long one the head.
func (h *harness) withCheckedServer(ctx context.Context, c *contender, r role, l load,
	use func(s *serverProcess, answer []byte) error) error {
	l = l.of(c.kind)
	request, err := h.requestOf(ctx, l)
	if err != nil {
		return err
	}
	var exact []byte
	if c.kind.isFloor {
		if exact, err = os.ReadFile(h.floor.answerFile); err != nil {
			return err
		}
	}
	return h.withServer(ctx, c, r, func(s *serverProcess) error {
		answer, err := l.check(request, exact).run(ctx, s.address)
		if err != nil {
			return fmt.Errorf("the server does not answer %s %s as it must: %w", l.asks.requestMethod(), l.asks.path, err)
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
