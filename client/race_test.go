package client

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func addressesOf(t *testing.T, list string) (addresses []netip.Addr) {
	t.Helper()
	for _, s := range strings.Fields(list) {
		addresses = append(addresses, netip.MustParseAddr(s))
	}
	return addresses
}

func TestRaceOrder(t *testing.T) {
	for _, c := range []struct {
		given      string
		preferIPv4 bool
		want       string
	}{
		{"10.0.0.1 10.0.0.2 10.0.0.3 ::1 ::2", false, "::1 10.0.0.1 ::2 10.0.0.2 10.0.0.3"},
		{"10.0.0.1 10.0.0.2 10.0.0.3 ::1 ::2", true, "10.0.0.1 ::1 10.0.0.2 ::2 10.0.0.3"},
		{"::1 ::2 ::3 10.0.0.1", false, "::1 10.0.0.1 ::2 ::3"},
		{"10.0.0.2 10.0.0.1", false, "10.0.0.2 10.0.0.1"},
		{"::2 ::1", true, "::2 ::1"},
		{"10.0.0.1 ::1 ::ffff:10.0.0.1 ::1", false, "::1 10.0.0.1"},
		{"fe80::1%eth0 fe80::1%eth1", false, "fe80::1%eth0 fe80::1%eth1"},
		{"", false, ""},
	} {
		given := addressesOf(t, c.given)
		kept := slices.Clone(given)
		got := newAddressRace(given, c.preferIPv4, 0).addresses
		if !slices.Equal(got, addressesOf(t, c.want)) {
			t.Errorf("%s with IPv4 preferred %v should be tried in the order %s, and are in %v", c.given, c.preferIPv4, c.want, got)
		}
		if !slices.Equal(given, kept) {
			t.Errorf("the addresses that a race is made of should not be changed, and are %v in place of %v", given, kept)
		}
	}
}

// checkStep checks what a race says is to be done.
func checkStep(t *testing.T, why string, got, want raceStep) {
	t.Helper()
	if got != want {
		t.Fatalf("%s: the step should be %+v, and is %+v", why, want, got)
	}
}

func TestRaceBeginsTheNextAttemptAfterTheDelay(t *testing.T) {
	const ms = time.Millisecond
	r := newAddressRace(addressesOf(t, "::1 10.0.0.1 10.0.0.2"), false, 0)
	checkStep(t, "the first", r.start(7*ms), raceStep{dial: 0, armed: true, next: 257 * ms})
	checkStep(t, "too early", r.expired(256*ms), raceStep{dial: -1, armed: true, next: 257 * ms})
	checkStep(t, "the second, a little late", r.expired(260*ms), raceStep{dial: 1, armed: true, next: 510 * ms})
	checkStep(t, "the third, after which there is none", r.expired(510*ms), raceStep{dial: 2})
	checkStep(t, "without reason", r.expired(time.Hour), raceStep{dial: -1})
	if losers := r.won(1); !slices.Equal(losers, []int{0, 2}) {
		t.Errorf("when the second of three wins, the first and the third should be given up, and it is %v", losers)
	}
	checkStep(t, "it has ended", r.expired(2*time.Hour), raceStep{dial: -1})
	checkStep(t, "one that was given up fails", r.failed(0, syscall.ECONNREFUSED, time.Hour), raceStep{dial: -1})
}

func TestRaceBeginsTheNextAttemptWhenOneFails(t *testing.T) {
	const ms = time.Millisecond
	r := newAddressRace(addressesOf(t, "10.0.0.1 10.0.0.2 10.0.0.3"), false, 100*ms)
	checkStep(t, "the first", r.start(0), raceStep{dial: 0, armed: true, next: 100 * ms})
	checkStep(t, "the first fails", r.failed(0, syscall.ECONNREFUSED, 30*ms), raceStep{dial: 1, armed: true, next: 130 * ms})
	checkStep(t, "the first fails again", r.failed(0, syscall.EPIPE, 40*ms), raceStep{dial: -1, armed: true, next: 130 * ms})
	checkStep(t, "one fails that was not begun", r.failed(2, syscall.EPIPE, 40*ms), raceStep{dial: -1, armed: true, next: 130 * ms})
	checkStep(t, "the second fails", r.failed(1, syscall.ENETUNREACH, 50*ms), raceStep{dial: 2})
	last := r.failed(2, syscall.ETIMEDOUT, 60*ms)
	if last.dial != -1 || last.armed {
		t.Errorf("when the last has failed nothing should be left to do, and the step is %+v", last)
	}
	for _, cause := range []error{syscall.ECONNREFUSED, syscall.ENETUNREACH, syscall.ETIMEDOUT} {
		if !errors.Is(last.err, cause) {
			t.Errorf("the error of the race should be each of the causes, and %q is not %q", last.err, cause)
		}
	}
	if want := "10.0.0.1: connection refused; 10.0.0.2: network is unreachable; 10.0.0.3: connection timed out"; last.err.Error() != want {
		t.Errorf("the error should say %q, and says %q", want, last.err)
	}
}

func TestRaceWithoutDelay(t *testing.T) {
	r := newAddressRace(addressesOf(t, "10.0.0.1 10.0.0.2"), false, -1)
	checkStep(t, "the first", r.start(0), raceStep{dial: 0})
	checkStep(t, "after a long time", r.expired(time.Hour), raceStep{dial: -1})
	checkStep(t, "when it has failed", r.failed(0, syscall.ECONNREFUSED, time.Hour), raceStep{dial: 1})
}

func TestRaceDelayHasALeast(t *testing.T) {
	r := newAddressRace(addressesOf(t, "10.0.0.1 10.0.0.2"), false, 1)
	checkStep(t, "the first", r.start(0), raceStep{dial: 0, armed: true, next: 10 * time.Millisecond})
}

func TestRaceOfNobody(t *testing.T) {
	step := newAddressRace(nil, false, 0).start(0)
	if step.dial != -1 || step.armed || step.err == nil || step.err.Error() != "there is no address to connect to" {
		t.Errorf("a race without addresses should have failed when it starts, and the step is %+v", step)
	}
}

// A fate is what becomes of an attempt: after a time, from when it was begun, it has failed or succeeded.
type fate struct {
	after time.Duration
	err   error // nil: it succeeds
}

// raceRun drives a race with fates. It keeps what it was told to do, and knows by itself what that should have been.
type raceRun struct {
	t     *testing.T
	race  *addressRace
	delay time.Duration
	fates []fate
	now   time.Duration
	ends  map[int]time.Duration // of the attempts that are alive
	begun int
	due   time.Duration // when the next attempt should begin
	armed bool
	timer time.Duration // as the race has it
	err   error
}

func TestRaceAtRandom(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	for range 5000 {
		var addresses []netip.Addr
		run := &raceRun{t: t, delay: time.Duration(10+random.IntN(300)) * time.Millisecond, ends: map[int]time.Duration{}}
		for i := range 1 + random.IntN(6) {
			address := netip.AddrFrom4([4]byte{10, 0, 0, byte(i)})
			if random.IntN(2) == 0 {
				address = netip.AddrFrom16([16]byte{1, byte(i)})
			}
			addresses = append(addresses, address)
			f := fate{after: time.Duration(random.IntN(900)) * time.Millisecond}
			if random.IntN(4) == 0 {
				f.after = 0 // at once
			}
			if random.IntN(3) > 0 {
				f.err = fmt.Errorf("fate %d", i)
			}
			run.fates = append(run.fates, f)
		}
		run.now = time.Duration(random.Int64N(int64(time.Hour)))
		run.race = newAddressRace(addresses, random.IntN(2) == 0, run.delay)
		run.toTheEnd()
	}
}

func (r *raceRun) toTheEnd() {
	r.take(r.race.start(r.now))
	for r.err == nil {
		first, at := -1, time.Duration(1<<62)
		for i := range r.fates { // of those that end together, the first
			if end, alive := r.ends[i]; alive && end < at {
				first, at = i, end
			}
		}
		if r.armed && r.timer < at {
			r.now = r.timer
			r.take(r.race.expired(r.now))
			continue
		}
		if first < 0 {
			r.t.Fatalf("no attempt is alive and no timer set, but the race of %+v has not ended", r.fates)
		}
		r.now = at
		delete(r.ends, first)
		if r.fates[first].err == nil {
			r.wins(first)
			return
		}
		r.due = r.now // a failure begins the next
		r.take(r.race.failed(first, r.fates[first].err, r.now))
	}
	for i, f := range r.fates {
		if !errors.Is(r.err, f.err) || f.err == nil {
			r.t.Fatalf("the race should fail only when all attempts have, with every cause; attempt %d is %+v, and the error %q", i, f, r.err)
		}
	}
}

// take does what a step says.
func (r *raceRun) take(step raceStep) {
	r.t.Helper()
	r.armed, r.timer, r.err = step.armed, step.next, step.err
	if step.dial >= 0 {
		if step.dial != r.begun || r.begun > 0 && r.now != r.due {
			r.t.Fatalf("attempt %d should begin at %v, and attempt %d does at %v", r.begun, r.due, step.dial, r.now)
		}
		r.ends[step.dial] = r.now + r.fates[step.dial].after
		r.begun++
		r.due = r.now + r.delay
	}
	left := len(r.fates) - r.begun
	if step.armed != (left > 0 && step.err == nil) || step.armed && step.next != r.due {
		r.t.Fatalf("with %d addresses left, of which the next is due at %v, the step is %+v", left, r.due, step)
	}
	if len(r.ends) != r.race.alive || len(r.ends) == 0 && step.err == nil {
		r.t.Fatalf("%d attempts are alive, the race counts %d, and the step is %+v", len(r.ends), r.race.alive, step)
	}
}

func (r *raceRun) wins(winner int) {
	losers := r.race.won(winner)
	for _, i := range losers {
		if _, alive := r.ends[i]; !alive {
			r.t.Fatalf("attempt %d should not be given up: it is not alive", i)
		}
		delete(r.ends, i)
		if step := r.race.failed(i, syscall.ECANCELED, r.now); step != (raceStep{dial: -1}) {
			r.t.Fatalf("after the race has been won a failure should mean nothing, and the step is %+v", step)
		}
	}
	if len(r.ends) > 0 || r.race.alive > 0 {
		r.t.Fatalf("attempt %d has won, and %v are left", winner, r.ends)
	}
	if step := r.race.expired(r.now + time.Hour); step != (raceStep{dial: -1}) {
		r.t.Fatalf("after the race has been won the timer should mean nothing, and the step is %+v", step)
	}
}
