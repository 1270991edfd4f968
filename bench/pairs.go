package main

import "context"

// besideAnother loads one server with two exchanges in turn and compares the processor time of
// a request: what is done in the first one above what is done in the second.
func besideAnother(r role, l load, second exchange) func(context.Context, *harness, *contender) (sample, error) {
	return func(ctx context.Context, h *harness, c *contender) (result sample, err error) {
		other := l
		other.asks = second
		err = h.withCheckedServer(ctx, c, r, l, func(s *serverProcess, _ []byte) error {
			request, err := h.requestOf(ctx, other)
			if err != nil {
				return err
			}
			if _, err := other.check(request, nil).run(ctx, s.address); err != nil {
				return err
			}
			reference, err := h.load(ctx, s, other)
			if err != nil {
				return err
			}
			subject, err := h.load(ctx, s, l)
			if err != nil {
				return err
			}
			result = compared(subject, reference)
			result[keyPeakMemory], err = s.peakResidentBytes()
			return err
		})
		return result, err
	}
}

// measureRouting compares a route behind many others with a server that has no routes.
func measureRouting(ctx context.Context, h *harness, c *contender) (result sample, err error) {
	plain := load{tool: toolWrk, connections: plaintextConnections, asks: askGreeting}
	routed := load{tool: toolWrk, connections: plaintextConnections, asks: askRouted}
	var reference, subject loadedRun
	err = h.withCheckedServer(ctx, c, roleHello, plain, func(s *serverProcess, _ []byte) error {
		reference, err = h.load(ctx, s, plain)
		return err
	})
	if err != nil {
		return nil, err
	}
	err = h.withCheckedServer(ctx, c, roleService, routed, func(s *serverProcess, _ []byte) error {
		if subject, err = h.load(ctx, s, routed); err != nil {
			return err
		}
		result = compared(subject, reference)
		result[keyPeakMemory], err = s.peakResidentBytes()
		return err
	})
	return result, err
}

// compared returns the sample of the subject, with what it costs above the reference.
func compared(subject, reference loadedRun) sample {
	result := subject.sample()
	plain := reference.sample()
	result[keyCPU+suffixAlone] = plain[keyCPU]
	result[keyRate+suffixAlone] = plain[keyRate]
	result[keyCPUAdded] = result[keyCPU] - plain[keyCPU]
	result[keyCPURatio] = result[keyCPU] / plain[keyCPU]
	return result
}
