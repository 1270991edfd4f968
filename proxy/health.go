package proxy

import "time"

// Theory.
//
// Health is what a group believes of a member, from what became of the requests sent to it:
//
//	In ── MaxFailures within Window ──▶ Out ── its time is over ──▶ Probing
//	▲                                   ▲▲                          │  │
//	│                                   │└── no verdict, no wait ───┘  │
//	│                                   └── failed, a longer wait ─────┤
//	└────────────────────────────────────────────────── answered ──────┘
//
// Beside that stand the checks, which have the last word: a member that they have found down
// gets no request, in whatever state it is.
//
// Rules:
//
//  1. What was sent while the member was In, and ends when it is not, changes nothing. So
//     requests that hang together are one outage, not many.
//  2. One probe at a time. A probe that ends without a verdict, because its client has left, leaves
//     the member due for the next.
//  3. Each failed probe doubles the time out, up to MaxOut. A member that stays in for longer than
//     MaxOut begins anew.
//  4. A member that the checks find up again has a clean record: it is another process by now.
//
// Time is handed in. Nothing here is safe for several goroutines: the group's mutex is.

// State is what a group does with a member.
type State uint8

const (
	// In: it gets its share of the requests.
	In State = iota
	// Out: it gets none, because requests or checks have failed.
	Out
	// Probing: it gets one request, and is in if that is answered.
	Probing
)

func (s State) String() string {
	switch s {
	case In:
		return "in"
	case Out:
		return "out"
	case Probing:
		return "probing"
	}
	return "unknown"
}

// never is a time that does not come.
const never = time.Duration(1<<63 - 1)

// healthPolicy is the part of the options that health goes by, with the defaults filled in.
type healthPolicy struct {
	maxFailures int // negative: requests are not looked at
	window      time.Duration
	out, maxOut time.Duration
	rise, fall  int
}

type health struct {
	policy   *healthPolicy
	state    State
	down     bool            // the checks say so
	streak   int             // checks in a row that contradict down
	outs     int             // times out in a row
	until    time.Duration   // when it may be probed, while it is not In
	since    time.Duration   // when it came in
	failures []time.Duration // the last maxFailures since then, a ring
	oldest   int             // in failures, once that is full
}

// available reports whether the member gets its share.
func (h *health) available() bool { return h.state == In && !h.down }

// shown is the state as others see it.
func (h *health) shown() State {
	if h.down {
		return Out
	}
	return h.state
}

// due is when the member may be probed; never if something else has to happen before.
func (h *health) due() time.Duration {
	if h.state != Out || h.down {
		return never
	}
	return h.until
}

// backAt is when the member is expected back, for choosing among members that are out.
func (h *health) backAt() time.Duration {
	if h.down {
		return never
	}
	return h.until
}

// failed notes the failure of a request that was sent while the member was In.
func (h *health) failed(now time.Duration) {
	if h.state != In || h.policy.maxFailures < 0 {
		return
	}
	if len(h.failures) < h.policy.maxFailures {
		h.failures = append(h.failures, now)
	} else {
		h.failures[h.oldest] = now
		h.oldest = (h.oldest + 1) % len(h.failures)
	}
	if len(h.failures) < h.policy.maxFailures || now-h.failures[h.oldest] > h.policy.window {
		return
	}
	if now-h.since > h.policy.maxOut {
		h.outs = 0
	}
	h.takeOut(now)
}

func (h *health) takeOut(now time.Duration) {
	wait := h.policy.maxOut
	if h.outs < 32 && h.policy.out<<h.outs>>h.outs == h.policy.out {
		wait = min(h.policy.out<<h.outs, wait)
	}
	h.outs++
	h.state, h.until = Out, now+wait
}

// probe has the member probed if it is due, and says so.
func (h *health) probe(now time.Duration) bool {
	if h.due() > now {
		return false
	}
	h.state = Probing
	return true
}

// probeFailed is the end of a probe that was not answered.
func (h *health) probeFailed(now time.Duration) {
	if h.state == Probing {
		h.takeOut(now)
	}
}

// probeAbandoned is the end of a probe that nothing was learned from.
func (h *health) probeAbandoned(time.Duration) {
	if h.state == Probing {
		h.state = Out
	}
}

// answered notes an answer to a request that was sent while the member was not In.
func (h *health) answered(now time.Duration) {
	if h.state != In {
		h.comeIn(now)
	}
}

func (h *health) comeIn(now time.Duration) {
	h.state, h.since = In, now
	h.failures, h.oldest = h.failures[:0], 0
}

// checked notes what a check has found.
func (h *health) checked(up bool, now time.Duration) {
	if up != h.down {
		h.streak = 0
		return
	}
	h.streak++
	switch {
	case up && h.streak >= h.policy.rise:
		h.down, h.streak, h.outs = false, 0, 0
		h.comeIn(now)
	case !up && h.streak >= h.policy.fall:
		h.down, h.streak = true, 0
	}
}

// uncheck forgets what the checks have found.
func (h *health) uncheck(time.Duration) { h.down, h.streak = false, 0 }
