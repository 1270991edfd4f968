package client

import (
	"net/netip"
	"strings"
	"time"
)

// Theory.
//
// A host has several addresses, and which of them answer is known only by trying (RFC 8305, "happy eyeballs").
// An addressRace says in which order and when; it connects to nothing and knows no time but what it is told:
//
//   - the families take turns, so that one that leads nowhere costs one delay and not one for each address;
//   - the next attempt begins when the one before has lasted for the delay, or at once when any fails; those that
//     were begun go on;
//   - the first that succeeds wins, and the others are given up;
//   - when all have failed, so has the race, with every cause.

// defaultRaceDelay is how long an attempt is alone (RFC 8305, section 5, "Connection Attempt Delay"), and minRaceDelay
// the least that it may be.
const (
	defaultRaceDelay = 250 * time.Millisecond
	minRaceDelay     = 10 * time.Millisecond
)

// An addressRace is owned by the goroutine of the loop that connects.
type addressRace struct {
	addresses []netip.Addr // in the order in which they are tried
	attempts  []attempt    // of addresses[:len(attempts)]
	delay     time.Duration
	alive     int
	next      time.Duration // when the next attempt is due, while there is one
	ended     bool
}

// An attempt is alive, or it has failed with an error, or it was given up or has won.
type attempt struct {
	alive bool
	err   error
}

// A raceStep is what is to be done now.
type raceStep struct {
	dial  int           // which of the addresses to connect to, -1 for none
	armed bool          // the timer is to be set to next; otherwise it is to be cleared
	next  time.Duration // when expired is to be called
	err   error         // not nil: every attempt has failed, and the race has ended
}

// newAddressRace makes a race of addresses, which come in the order of preference and are not changed. It begins with
// IPv6, or with IPv4 if that is preferred, as it is when it has won before. A delay of zero means the default; one that
// is negative none, so that the next attempt begins when one has failed, and only then.
func newAddressRace(addresses []netip.Addr, preferIPv4 bool, delay time.Duration) *addressRace {
	switch {
	case delay == 0:
		delay = defaultRaceDelay
	case delay > 0:
		delay = max(delay, minRaceDelay)
	}
	order := interleave(addresses, preferIPv4)
	return &addressRace{addresses: order, attempts: make([]attempt, 0, len(order)), delay: delay}
}

// interleave returns the addresses, each once, with the families taking turns.
func interleave(addresses []netip.Addr, preferIPv4 bool) []netip.Addr {
	var families [2][]netip.Addr // those that are preferred, and the others
	for _, address := range usable(addresses) {
		family := 0
		if address.Is4() != preferIPv4 {
			family = 1
		}
		families[family] = append(families[family], address)
	}
	order := make([]netip.Addr, 0, len(addresses))
	for i := range max(len(families[0]), len(families[1])) {
		for _, family := range families {
			if i < len(family) {
				order = append(order, family[i])
			}
		}
	}
	return order
}

// start begins the race: it says whom to connect to first.
func (r *addressRace) start(now time.Duration) raceStep { return r.begin(now) }

// expired says whom to connect to next because the time that an earlier step has named has come. It may be
// called too early, or without reason.
func (r *addressRace) expired(now time.Duration) raceStep {
	if r.due() && now >= r.next {
		return r.begin(now)
	}
	return r.wait()
}

// failed says what follows when an attempt has failed; of one that is not alive any more it takes no notice. It may be
// called at once for the address that a step says to connect to, before anything else.
func (r *addressRace) failed(i int, err error, now time.Duration) raceStep {
	if i >= len(r.attempts) || !r.attempts[i].alive {
		return r.wait()
	}
	r.attempts[i] = attempt{err: err}
	r.alive--
	return r.begin(now)
}

// won ends the race because an attempt has succeeded, and returns the others that are to be given up.
func (r *addressRace) won(i int) (losers []int) {
	r.ended = true
	for j := range r.attempts {
		if r.attempts[j].alive && j != i {
			losers = append(losers, j)
		}
		r.attempts[j].alive = false
	}
	r.alive = 0
	return losers
}

// begin begins the next attempt. If there is none, the race goes on with those that are alive, or it has failed.
func (r *addressRace) begin(now time.Duration) raceStep {
	i := len(r.attempts)
	if i == len(r.addresses) {
		if r.alive == 0 {
			r.ended = true
			return raceStep{dial: -1, err: r.failure()}
		}
		return r.wait()
	}
	r.attempts = append(r.attempts, attempt{alive: true})
	r.alive++
	r.next = now + r.delay
	step := r.wait()
	step.dial = i
	return step
}

// wait is the step in which nothing is done but to wait.
func (r *addressRace) wait() raceStep {
	if r.due() {
		return raceStep{dial: -1, armed: true, next: r.next}
	}
	return raceStep{dial: -1}
}

// due reports whether an attempt is to begin when its time comes.
func (r *addressRace) due() bool {
	return !r.ended && r.delay > 0 && len(r.attempts) > 0 && len(r.attempts) < len(r.addresses)
}

func (r *addressRace) failure() error {
	all := &addressErrors{}
	for i := range r.attempts {
		all.addresses = append(all.addresses, r.addresses[i])
		all.causes = append(all.causes, r.attempts[i].err)
	}
	return all
}

// addressErrors says why no address of a host could be connected to. It unwraps to every cause.
type addressErrors struct {
	addresses []netip.Addr
	causes    []error
}

func (e *addressErrors) Error() string {
	if len(e.causes) == 0 {
		return "there is no address to connect to"
	}
	var text strings.Builder
	for i, cause := range e.causes {
		if i > 0 {
			text.WriteString("; ")
		}
		text.WriteString(e.addresses[i].String() + ": " + cause.Error())
	}
	return text.String()
}

func (e *addressErrors) Unwrap() []error { return e.causes }
