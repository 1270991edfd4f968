package proxy

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/penstock-go/penstock/client"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// testGroup is a group whose clock is turned by hand, and whose requests go nowhere.
type testGroup struct {
	*Group
	t     testing.TB
	clock atomic.Int64
	log   *bytes.Buffer
}

func newTestGroup(t testing.TB, members int, o GroupOptions) *testGroup {
	t.Helper()
	c, err := client.New(client.Options{})
	if err != nil {
		t.Fatalf("a client could not be made: %v", err)
	}
	g := &testGroup{t: t, log: new(bytes.Buffer)}
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(g.log, nil))
	}
	list := make([]Member, members)
	for i := range list {
		list[i].Address = fmt.Sprintf("http://10.0.0.%d:80", i+1)
	}
	if g.Group, err = newGroup(c, list, o, func() time.Duration { return time.Duration(g.clock.Load()) }); err != nil {
		t.Fatalf("a group of %d could not be made: %v", members, err)
	}
	return g
}

func (g *testGroup) advance(d time.Duration) { g.clock.Add(int64(d)) }

// pick is Pick where that must not fail. It also returns the number of the member.
func (g *testGroup) pick(failed ...*client.Upstream) (Target, int) {
	g.t.Helper()
	target, err := g.Pick(nil, failed)
	if err != nil {
		g.t.Fatalf("a member should be picked; instead: %v", err)
	}
	return target, slices.IndexFunc(g.members, func(m *member) bool { return m.upstream == target.Upstream() })
}

// answer picks a member, which answers with status. It returns the number of the member.
func (g *testGroup) answer(status int) int {
	g.t.Helper()
	target, i := g.pick()
	target.Answered(status)
	target.Done(Outcome{Status: status})
	return i
}

// takeOut has requests to some members fail until these are out.
func (g *testGroup) takeOut(members ...int) {
	g.t.Helper()
	for tries := 0; slices.ContainsFunc(members, func(i int) bool { return g.members[i].health.available() }); tries++ {
		if tries > 1000 {
			g.t.Fatalf("the members %v should go out when their requests fail; the group is %+v", members, g.Stats())
		}
		target, i := g.pick()
		if slices.Contains(members, i) {
			target.Done(Outcome{Err: failure(client.ErrConnect)})
		} else {
			target.Answered(200)
			target.Done(Outcome{Status: 200})
		}
	}
}

func failure(kind error) error { return &client.Error{Kind: kind, Upstream: "http://10.0.0.1:80"} }

func (g *testGroup) wantStates(why string, want ...State) {
	g.t.Helper()
	for i, s := range g.Stats() {
		if s.State != want[i] {
			g.t.Fatalf("the members should be %v, because %s; member %d is %v", want, why, i, s.State)
		}
	}
}

func TestNewGroupRefuses(t *testing.T) {
	c, err := client.New(client.Options{})
	if err != nil {
		t.Fatalf("a client could not be made: %v", err)
	}
	for _, r := range []struct {
		members []Member
		check   *Check
		because string
	}{
		{nil, nil, "must have a member at least"},
		{[]Member{{Address: "http://a", Weight: -1}}, nil, "the weight of http://a is -1, and must be from 1 to 256"},
		{[]Member{{Address: "http://a", Weight: 257}}, nil, "must be from 1 to 256"},
		{[]Member{{Address: "ftp://a"}}, nil, "cannot be used"},
		{[]Member{{Address: "http://a"}, {Address: "http://a"}}, nil, "http://a is in the group twice"},
		{[]Member{{Address: "http://a"}}, &Check{Path: "health"}, "must begin with a slash"},
	} {
		g, err := NewGroup(c, r.members, GroupOptions{Check: r.check})
		if err == nil || !strings.Contains(err.Error(), r.because) {
			t.Errorf("a group of %v with the check %v should be refused because %q; got %v, %v", r.members, r.check, r.because, g, err)
		}
	}
}

func TestAMemberThatFailsLosesItsShareAndGetsItBack(t *testing.T) {
	g := newTestGroup(t, 3, GroupOptions{})
	g.takeOut(1)
	for range 30 {
		if g.answer(200) == 1 {
			t.Fatalf("member 1 is out, and should not be picked")
		}
	}
	g.advance(5 * second)
	target, i := g.pick()
	if i != 1 {
		t.Fatalf("five seconds later a request should be sent to member 1, to find out; it goes to %d", i)
	}
	for range 30 {
		if g.answer(200) == 1 {
			t.Fatalf("while the probe of member 1 is in progress, it should get no other request")
		}
	}
	g.wantStates("member 1 is being probed", In, Probing, In)
	target.Answered(200)
	g.wantStates("the probe was answered, though its body goes on", In, In, In)
	counts := [3]int{}
	for range 30 {
		counts[g.answer(200)]++
	}
	if counts != [3]int{10, 10, 10} {
		t.Errorf("of 30 requests each of three members should get 10, and they get %v", counts)
	}
	target.Done(Outcome{Status: 200})
}

func TestAProbeThatItsClientLeavesIsFollowedByAnother(t *testing.T) {
	g := newTestGroup(t, 2, GroupOptions{})
	g.takeOut(0)
	g.advance(5 * second)
	for _, err := range []error{pipeline.ErrClosed, failure(client.ErrPoolFull), failure(client.ErrTotalTimeout)} {
		target, i := g.pick()
		if i != 0 {
			t.Fatalf("member 0 is due, and should be probed; member %d is picked", i)
		}
		target.Done(Outcome{Err: err})
	}
	target, _ := g.pick()
	target.Done(Outcome{Err: failure(client.ErrHeadTimeout)})
	g.wantStates("the probe has failed", Out, In)
	g.advance(10*second - 1)
	if i := g.answer(200); i == 0 {
		t.Errorf("after a failed probe member 0 should be out for ten seconds; it is picked before")
	}
	g.advance(1)
	if i := g.answer(200); i != 0 {
		t.Errorf("member 0 should be probed again after ten seconds; member %d is picked", i)
	}
	g.wantStates("the second probe was answered", In, In)
}

func TestARetryGoesElsewhere(t *testing.T) {
	for _, b := range []Balance{RoundRobin(), LeastPending(), Hash(func(*server.Request) string { return "key" })} {
		g := newTestGroup(t, 3, GroupOptions{Balance: b})
		for range 20 {
			var failed []*client.Upstream
			for range g.members {
				target, _ := g.pick(failed...)
				if slices.Contains(failed, target.Upstream()) {
					t.Fatalf("%T: an attempt should go to a member that was not tried; it goes to %v again", b, target.Upstream())
				}
				target.Done(Outcome{Err: pipeline.ErrClosed})
				failed = append(failed, target.Upstream())
			}
			target, _ := g.pick(failed...)
			target.Done(Outcome{Err: pipeline.ErrClosed})
		}
	}
	g := newTestGroup(t, 2, GroupOptions{})
	g.takeOut(0)
	g.advance(5 * second)
	if target, i := g.pick(g.members[0].upstream); i != 1 {
		t.Errorf("a request that member 0 has failed for should not probe it; %v is picked", target.Upstream())
	}
}

func TestWhenAllAreOut(t *testing.T) {
	g := newTestGroup(t, 3, GroupOptions{})
	g.takeOut(2)
	g.advance(second)
	g.takeOut(0)
	g.advance(second)
	g.takeOut(1)
	target, i := g.pick()
	if i != 2 {
		t.Errorf("member 2 is back first, and should be tried; it is member %d", i)
	}
	if _, i = g.pick(g.members[2].upstream); i != 0 {
		t.Errorf("when member 2 has failed, member 0 is back first and should be tried; it is member %d", i)
	}
	if _, i = g.pick(g.members[2].upstream, g.members[0].upstream, g.members[1].upstream); i != 2 {
		t.Errorf("when all have failed, the one that is back first should be tried, member 2; it is member %d", i)
	}
	target.Done(Outcome{Err: failure(client.ErrConnect)})
	g.wantStates("the attempt failed like those before", Out, Out, Out)
	if due := time.Duration(g.due.Load()); due != 5*second {
		t.Errorf("an attempt that is made although all are out should put nothing off: the next probe should be due at 5 s, and is at %v", due)
	}
	if i := g.answer(204); i != 2 {
		t.Errorf("member 2 should be tried again; it is member %d", i)
	}
	g.wantStates("member 2 has answered", Out, Out, In)
}

// TestPickingTakesNoLock while nothing is due: not even when a member is out or probed. If it did,
// this test would not end.
func TestPickingTakesNoLock(t *testing.T) {
	g := newTestGroup(t, 3, GroupOptions{})
	pick := func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		for range 6 {
			target, _ := g.pick()
			target.Answered(200)
			target.Done(Outcome{Status: 200})
		}
	}
	pick()
	g.takeOut(1)
	pick()
	g.advance(5 * second)
	g.pick()
	g.wantStates("member 1 was picked for a probe", In, Probing, In)
	pick()
}

func TestGroupDefaults(t *testing.T) {
	got := GroupOptions{Window: -1, Out: 2 * time.Minute}.withDefaults()
	if got.Balance != RoundRobin() || got.MaxFailures != 3 || got.Window != 10*second || got.MaxOut != 2*time.Minute || got.Logger != slog.Default() {
		t.Errorf("the defaults should be those that GroupOptions documents, and are %+v", got)
	}
	if got = (GroupOptions{}).withDefaults(); got.Out != 5*second || got.MaxOut != time.Minute {
		t.Errorf("a member should be out for 5 s at first and a minute at most; it is %v and %v", got.Out, got.MaxOut)
	}
	check, err := Check{Timeout: time.Minute}.withDefaults()
	if err != nil || check.Path != "/" || check.Interval != 5*second || check.Timeout != 5*second || check.Fall != 3 || check.Rise != 2 || check.Seed == 0 {
		t.Errorf("the defaults of a check should be those that Check documents, and are %+v, %v", check, err)
	}
}

// TestAMemberThatTheChecksHaveFoundDownIsLast when all are out, however soon it would be back.
func TestAMemberThatTheChecksHaveFoundDownIsLast(t *testing.T) {
	g := newTestGroup(t, 2, GroupOptions{})
	g.update(g.members[0], nil, func(h *health, now time.Duration) { h.checked(false, now) })
	g.takeOut(1)
	for range 4 {
		target, i := g.pick()
		if i != 1 {
			t.Errorf("the checks have found member 0 down, so that member 1 should be tried; it is member %d", i)
		}
		target.Done(Outcome{Err: pipeline.ErrClosed})
	}
}

func TestRefuseWhenOut(t *testing.T) {
	g := newTestGroup(t, 2, GroupOptions{RefuseWhenOut: true})
	g.takeOut(0, 1)
	_, err := g.Pick(nil, nil)
	var public interface {
		Status() int
		Public() string
	}
	if !errors.Is(err, ErrNoUpstream) || !errors.As(err, &public) || public.Status() != 503 || public.Public() == "" {
		t.Errorf("with all members out the error should be ErrNoUpstream with the status 503 and a sentence, and is %v", err)
	}
	g.advance(5 * second)
	if g.answer(200); g.Stats()[0].State != In {
		t.Errorf("when its time is over, a member should be probed and come in; the group is %+v", g.Stats())
	}
}

// TestWhatCountsAsAFailure: what the upstream is to blame for, before its answer.
func TestWhatCountsAsAFailure(t *testing.T) {
	for _, c := range []struct {
		outcome Outcome
		counts  bool
	}{
		{Outcome{Err: failure(client.ErrConnect)}, true},
		{Outcome{Err: failure(client.ErrConnectTimeout)}, true},
		{Outcome{Err: failure(client.ErrResolve)}, true},
		{Outcome{Err: failure(client.ErrHeadTimeout)}, true},
		{Outcome{Err: failure(client.ErrBodyTimeout)}, true},
		{Outcome{Err: failure(client.ErrUpstream)}, true},
		{Outcome{Err: failure(client.ErrTotalTimeout)}, false},
		{Outcome{Err: failure(client.ErrPoolFull)}, false},
		{Outcome{Err: failure(client.ErrAcquireTimeout)}, false},
		{Outcome{Err: failure(client.ErrRequest)}, false},
		{Outcome{Err: failure(client.ErrClientClosed)}, false},
		{Outcome{Err: errors.New("the body of the request was cut")}, false},
		{Outcome{Err: pipeline.ErrClosed}, false},
		{Outcome{Status: 200, Err: failure(client.ErrUpstream)}, false},
		{Outcome{Status: 200}, false},
		{Outcome{Status: 503}, false},
	} {
		g := newTestGroup(t, 1, GroupOptions{MaxFailures: 1})
		target, _ := g.pick()
		if c.outcome.Status != 0 {
			target.Answered(c.outcome.Status)
		}
		target.Done(c.outcome)
		stats := g.Stats()[0]
		if out := stats.State == Out; out != c.counts || stats.Failures > 0 != c.counts {
			t.Errorf("that %+v takes a member out should be %t; the member is %+v", c.outcome, c.counts, stats)
		}
	}
}

func TestCountServerErrors(t *testing.T) {
	g := newTestGroup(t, 1, GroupOptions{MaxFailures: 2, CountServerErrors: true})
	g.answer(499)
	g.answer(500)
	g.wantStates("one error of the server is not two", In)
	g.answer(503)
	g.wantStates("two answers had a status of 500 and above", Out)
	if n := g.Stats()[0].Failures; n != 2 {
		t.Errorf("two failures should be counted, and %d are", n)
	}
	g.advance(5 * second)
	g.answer(500)
	g.wantStates("the probe was answered 500", Out)
	g.answer(200)
	g.wantStates("a request that was tried anyway was answered 200", In)
}

func TestStatsCountWhatIsInProgress(t *testing.T) {
	g := newTestGroup(t, 2, GroupOptions{})
	first, _ := g.pick()
	g.pick()
	g.pick()
	first.Answered(200)
	first.Done(Outcome{Status: 200})
	want := []MemberStats{
		{Address: "http://10.0.0.1:80", Weight: 1, Pending: 1, Requests: 2},
		{Address: "http://10.0.0.2:80", Weight: 1, Pending: 1, Requests: 1},
	}
	if got := g.Stats(); !slices.Equal(got, want) {
		t.Errorf("of three requests one has ended, so the stats should be\n%+v\nand are\n%+v", want, got)
	}
}

func TestTheLogSaysWhoGoesAndComes(t *testing.T) {
	g := newTestGroup(t, 2, GroupOptions{})
	g.takeOut(1)
	g.advance(5 * second)
	for i := 0; i != 1; {
		i = g.answer(200)
	}
	lines := strings.Split(strings.TrimSpace(g.log.String()), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], "http://10.0.0.2:80 for=5s") || !strings.Contains(lines[0], "could not be connected to") ||
		!strings.Contains(lines[1], "in again") {
		t.Errorf("there should be a line that says that the member is out, how long and why, and one that it is in again; there is\n%s", g.log)
	}
}

func TestStatesHaveNames(t *testing.T) {
	if text := fmt.Sprint(In, Out, Probing, State(9)); text != "in out probing unknown" {
		t.Errorf("the states should be called in, out and probing, and are %s", text)
	}
}
