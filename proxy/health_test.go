package proxy

import (
	"math/rand/v2"
	"testing"
	"time"
)

const second = time.Second

// testPolicy: three failures in ten seconds, out for 5, 10, 20, and at most 30 seconds.
func testPolicy() *healthPolicy {
	return &healthPolicy{maxFailures: 3, window: 10 * second, out: 5 * second, maxOut: 30 * second, rise: 2, fall: 3}
}

func wantState(t *testing.T, h *health, want State, why string) {
	t.Helper()
	if got := h.shown(); got != want {
		t.Fatalf("the member should be %v, because %s; it is %v", want, why, got)
	}
}

// outAt is health that has gone out at a time.
func outAt(t *testing.T, now time.Duration) *health {
	t.Helper()
	h := &health{policy: testPolicy()}
	for range 3 {
		h.failed(now)
	}
	wantState(t, h, Out, "three requests have failed at once")
	return h
}

func TestFailuresCountWithinTheirWindow(t *testing.T) {
	h := &health{policy: testPolicy()}
	h.failed(0)
	h.failed(9 * second)
	h.failed(11 * second)
	wantState(t, h, In, "the first failure is longer ago than the window when the third comes")
	h.failed(19 * second)
	wantState(t, h, Out, "three failures are within ten seconds of each other, the bounds included")
	if h.due() != 24*second {
		t.Errorf("the member should be probed five seconds after it went out at 19 s, and is at %v", h.due())
	}
}

func TestNegativeMaxFailuresTakesNobodyOut(t *testing.T) {
	h := &health{policy: testPolicy()}
	h.policy.maxFailures = -1
	for range 100 {
		h.failed(0)
	}
	wantState(t, h, In, "failures are not looked at")
}

func TestOneProbeAtATime(t *testing.T) {
	h := outAt(t, 0)
	if h.probe(5*second - 1) {
		t.Errorf("the member is out for five seconds, and should not be probed before")
	}
	if !h.probe(5 * second) {
		t.Fatalf("the member should be probed once five seconds are over")
	}
	wantState(t, h, Probing, "its time is over and a request is on its way")
	if h.probe(6 * second) {
		t.Errorf("while one probe is on its way there should be no other")
	}
	h.probeAbandoned(7 * second)
	if !h.probe(7 * second) {
		t.Errorf("a probe that ended without a verdict should leave the member due for the next")
	}
	h.answered(8 * second)
	wantState(t, h, In, "the probe was answered")
	h.failed(8 * second)
	h.failed(8 * second)
	wantState(t, h, In, "failures from before the outage do not count any more")
}

func TestTimeOutGrowsToItsBoundAndBeginsAnew(t *testing.T) {
	h, now := outAt(t, 0), time.Duration(0)
	for _, want := range []time.Duration{5, 10, 20, 30, 30} {
		if wait := h.due() - now; wait != want*second {
			t.Errorf("the member should be out for %d s now, and is for %v", want, wait)
		}
		now = h.due()
		h.probe(now)
		h.probeFailed(now)
	}
	back := func(after time.Duration) time.Duration {
		now = h.due()
		h.probe(now)
		h.answered(now)
		now += after
		for range 3 {
			h.failed(now)
		}
		return h.due() - now
	}
	if wait := back(30 * second); wait != 30*second {
		t.Errorf("a member that goes out again soon should be out for as long as before, 30 s, and is for %v", wait)
	}
	if wait := back(30*second + 1); wait != 5*second {
		t.Errorf("a member that was in for longer than MaxOut should begin with 5 s again, and is out for %v", wait)
	}
	h.policy.maxOut, h.policy.out = never, never/2
	h.probe(h.due())
	h.probeFailed(0)
	h.probe(h.due())
	h.probeFailed(0)
	if h.due() < never/2 {
		t.Errorf("a time out that cannot be doubled should be the bound, and is %v", h.due())
	}
}

func TestWhatWasSentBeforeTheOutageChangesNothing(t *testing.T) {
	h := outAt(t, 0)
	for range 10 {
		h.failed(4 * second)
	}
	if h.due() != 5*second {
		t.Errorf("requests that hang together are one outage: the member should be due at 5 s, and is at %v", h.due())
	}
	h.probe(5 * second)
	h.failed(5 * second)
	wantState(t, h, Probing, "a late failure is not the probe's")
}

func TestChecksHaveTheLastWord(t *testing.T) {
	h := &health{policy: testPolicy()}
	h.checked(false, 0)
	h.checked(false, 0)
	h.checked(true, 0)
	h.checked(false, 0)
	h.checked(false, 0)
	wantState(t, h, In, "no three checks in a row have failed")
	h.checked(false, 0)
	wantState(t, h, Out, "three checks in a row have failed")
	if h.available() || h.probe(never-1) {
		t.Errorf("a member that the checks have found down should get no request, neither its share nor a probe")
	}
	h.checked(true, 0)
	h.checked(false, 0)
	h.checked(true, 0)
	wantState(t, h, Out, "no two checks in a row have succeeded")
	h.checked(true, 0)
	wantState(t, h, In, "two checks in a row have succeeded")

	h = outAt(t, 0)
	for range 10 {
		h.checked(true, second)
	}
	wantState(t, h, Out, "checks that have not found it down do not end what requests have found")
	for range 3 {
		h.checked(false, second)
	}
	h.checked(true, second)
	h.checked(true, second)
	wantState(t, h, In, "the checks have found it up again after they had found it down")
	h.checked(false, second)
	h.checked(false, second)
	h.checked(false, second)
	h.uncheck(second)
	wantState(t, h, In, "what the checks have found is forgotten")
}

// healthModel says the same in another way: it keeps everything that has happened, and
// looks for the answer in it.
type healthModel struct {
	policy          *healthPolicy
	failures        []time.Duration // all since it came in
	checks          []bool          // all since down was set last
	state           State
	down            bool
	outs            int
	wentOut, outFor time.Duration
	cameIn          time.Duration
}

func (m *healthModel) takeOut(now time.Duration) {
	m.outs++
	m.outFor = m.policy.out
	for range m.outs - 1 {
		m.outFor = min(2*m.outFor, m.policy.maxOut)
	}
	m.state, m.wentOut = Out, now
}

func (m *healthModel) comeIn(now time.Duration) {
	m.state, m.cameIn, m.failures = In, now, nil
}

func (m *healthModel) step(operation int, now time.Duration) {
	switch operation {
	case 0: // failed
		m.failures = append(m.failures, now)
		recent := 0
		for _, f := range m.failures {
			if now-f <= m.policy.window {
				recent++
			}
		}
		if m.state == In && recent >= m.policy.maxFailures {
			if now-m.cameIn > m.policy.maxOut {
				m.outs = 0
			}
			m.takeOut(now)
		}
	case 1: // probe
		if m.state == Out && !m.down && (now >= m.wentOut+m.outFor) {
			m.state = Probing
		}
	case 2: // probeFailed
		if m.state == Probing {
			m.takeOut(now)
		}
	case 3: // probeAbandoned
		if m.state == Probing {
			m.state = Out
		}
	case 4: // answered
		if m.state != In {
			m.comeIn(now)
		}
	default: // checked
		m.checks = append(m.checks, operation == 6)
		m.lookAtChecks(now)
	}
}

func (m *healthModel) lookAtChecks(now time.Duration) {
	row := 0
	for i := len(m.checks) - 1; i >= 0 && m.checks[i] == m.down; i-- {
		row++
	}
	if m.down && row >= m.policy.rise {
		m.down, m.checks, m.outs = false, nil, 0
		m.comeIn(now)
	} else if !m.down && row >= m.policy.fall {
		m.down, m.checks = true, nil
	}
}

func TestHealthIsLikeItsModel(t *testing.T) {
	for seed := range uint64(2000) {
		random := rand.New(rand.NewPCG(seed, 0))
		policy := testPolicy()
		policy.maxFailures = 1 + random.IntN(5)
		policy.rise, policy.fall = 1+random.IntN(3), 1+random.IntN(3)
		h, m, now := &health{policy: policy}, &healthModel{policy: policy}, time.Duration(0)
		weights := []int{0, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6}
		for i := range 200 {
			now += time.Duration(random.IntN(3)) * time.Duration(random.IntN(3000)) * time.Millisecond
			operation := weights[random.IntN(len(weights))]
			[]func(){
				func() { h.failed(now) },
				func() { h.probe(now) },
				func() { h.probeFailed(now) },
				func() { h.probeAbandoned(now) },
				func() { h.answered(now) },
				func() { h.checked(false, now) },
				func() { h.checked(true, now) },
			}[operation]()
			m.step(operation, now)
			if h.state != m.state || h.down != m.down || h.state == Out && h.until != m.wentOut+m.outFor {
				t.Fatalf("seed %d, step %d, operation %d at %v: the health is %v, down %t, until %v; the model says %v, down %t, until %v",
					seed, i, operation, now, h.state, h.down, h.until, m.state, m.down, m.wentOut+m.outFor)
			}
		}
	}
}
