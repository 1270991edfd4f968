package main

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// buildUpstream builds what stands behind the gateways of this run, if there are any.
func (h *harness) buildUpstream(ctx context.Context) error {
	var needed []role
	for _, r := range rolesOf(h.settings.scenarios) {
		if behind := upstreamRoles[r]; behind != "" {
			needed = append(needed, behind)
		}
	}
	upstream, err := parseContenders(upstreamName)
	if err != nil {
		return err
	}
	h.upstream = upstream[0]
	h.upstream.label = "upstream"
	var missing error
	if err := h.upstream.build(ctx, h.programs, needed, func(reason error) { missing = reason }); err != nil {
		return err
	}
	return missing
}

// withGateway runs use while the contender passes everything on to an upstream, which is a process
// of its own and no part of what is measured.
func (h *harness) withGateway(ctx context.Context, c *contender, r role, use func(gateway, upstream *serverProcess) error) error {
	return h.withProgram(ctx, h.upstream, upstreamRoles[r], nil, func(upstream *serverProcess) error {
		return h.withProgram(ctx, c, r, []string{"-upstream", "http://" + upstream.address}, func(gateway *serverProcess) error {
			// nginx announces its address before it listens.
			connection, err := dialUntilAccepted(ctx, gateway.address)
			if err != nil {
				return err
			}
			connection.Close()
			return use(gateway, upstream)
		})
	})
}

// restart stops the server and starts it again at its address after an outage. On an error it is
// not running.
func (s *serverProcess) restart(ctx context.Context, outage time.Duration) error {
	if err := s.stop(); err != nil {
		return err
	}
	if err := rest(ctx, outage); err != nil {
		return err
	}
	again, err := startServer(ctx, s.address, s.command.Path, s.command.Args[1:], s.command.Env)
	if err != nil {
		return fmt.Errorf("after an outage of %v: %w", outage, err)
	}
	*s = *again
	return nil
}

// port is that of the address.
func (s *serverProcess) port() (port uint16, err error) {
	_, text, _ := strings.Cut(s.address, ":")
	if _, err = fmt.Sscan(text, &port); err != nil {
		err = fmt.Errorf("the address %s has no port: %w", s.address, err)
	}
	return port, err
}
