package proxy

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/penstock-go/penstock/client"
	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/loop/looptest"
	"github.com/penstock-go/penstock/pipeline"
)

// checkPatience is how long a failing test waits for what does not come.
const checkPatience = 20 * time.Second

// checkedGroup is a group whose checks run on a loop that the test turns.
type checkedGroup struct {
	*Group
	t      testing.TB
	client *client.Client
	loop   *looptest.Loop
}

func newCheckedGroup(t testing.TB, check Check, o client.Options, addresses ...string) *checkedGroup {
	t.Helper()
	c, err := client.New(o)
	if err != nil {
		t.Fatalf("a client could not be made: %v", err)
	}
	g := &checkedGroup{t: t, client: c, loop: looptest.New(t)}
	check.Loop = g.loop.Loop
	if check.Seed == 0 {
		check.Seed = 1
	}
	members := make([]Member, len(addresses))
	for i, a := range addresses {
		members[i].Address = a
	}
	options := GroupOptions{Check: &check, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}
	if g.Group, err = newGroup(c, members, options, g.loop.Now); err != nil {
		t.Fatalf("a group of %v could not be made: %v", addresses, err)
	}
	g.loop.Settle()
	return g
}

// close ends the checks, and with it the test's loop is to be empty, but for idle connections.
func (g *checkedGroup) close() {
	g.Close()
	g.loop.Settle()
	if held := g.loop.Held(); held.Tasks > 0 {
		g.t.Errorf("when the checks were ended, the loop should hold no task of theirs; it holds %+v", held)
	}
	g.loop.Abandon()
}

// earliest is the check whose turn is next.
func (g *checkedGroup) earliest() *memberCheck {
	return slices.MinFunc(g.checks.members, func(a, b *memberCheck) int { return int(a.next - b.next) })
}

// begin lets time go by until the next check begins, and returns it.
func (g *checkedGroup) begin() *memberCheck {
	c := g.earliest()
	g.loop.Advance(c.next - g.loop.Now() + time.Millisecond)
	return c
}

// check is one whole check: of each member in turn, after the first have come in random order.
func (g *checkedGroup) check() {
	g.t.Helper()
	c := g.begin()
	for start := time.Now(); c.answer != nil; {
		if time.Since(start) > checkPatience {
			g.t.Fatalf("the check of %s should come to its end", c.member.address)
		}
		g.loop.AwaitUpTo(time.Millisecond)
	}
}

func (g *checkedGroup) wantState(want State, why string) {
	g.t.Helper()
	if got := g.Stats()[0].State; got != want {
		g.t.Fatalf("the member should be %v, because %s; it is %v", want, why, got)
	}
}

// checkedServer answers checks with a status that the test sets.
type checkedServer struct {
	*httptest.Server
	status atomic.Int64
	heads  chan string   // method, target and host of each request
	hold   chan struct{} // until it is closed, requests for /hold are not answered
}

func newCheckedServer(t testing.TB) *checkedServer {
	s := &checkedServer{heads: make(chan string, 100), hold: make(chan struct{})}
	s.status.Store(200)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.heads <- r.Method + " " + r.RequestURI + " " + r.Host
		if r.RequestURI == "/hold" {
			<-s.hold
		}
		w.WriteHeader(int(s.status.Load()))
		_, _ = io.WriteString(w, "well?") // which a 204 refuses
	}))
	t.Cleanup(s.Close)
	return s
}

func TestChecksTakeAMemberOutAndPutItIn(t *testing.T) {
	s := newCheckedServer(t)
	g := newCheckedGroup(t, Check{Path: "/health?deep", Host: "api.example", Fall: 2, Rise: 3},
		client.Options{MaxConnections: 1, AtLimit: client.Refuse}, s.URL) // so that each has to give its connection back
	defer g.close()
	g.check()
	if head := <-s.heads; head != "GET /health?deep api.example" {
		t.Errorf("a check should be GET /health?deep for api.example, and is %s", head)
	}
	s.status.Store(500)
	g.check()
	g.wantState(In, "only one check has failed")
	g.check()
	g.wantState(Out, "two checks have failed")
	if target, err := g.Pick(nil, nil); err != nil || target.Upstream() != g.members[0].upstream {
		t.Errorf("a group whose only member is out should try it anyway; got %v, %v", target, err)
	}
	s.status.Store(204)
	g.check()
	g.check()
	g.wantState(Out, "only two checks have succeeded")
	g.check()
	g.wantState(In, "three checks have succeeded")
}

func TestACheckExpectsItsStatus(t *testing.T) {
	s := newCheckedServer(t)
	g := newCheckedGroup(t, Check{Status: 401, Fall: 1, Rise: 1}, client.Options{}, s.URL)
	defer g.close()
	g.check()
	g.wantState(Out, "it has answered 200 where 401 is expected")
	s.status.Store(401)
	g.check()
	g.wantState(In, "it has answered 401, as expected")
}

// TestACheckThatIsNotAnsweredInTime is one that has failed.
func TestACheckThatIsNotAnsweredInTime(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	g := newCheckedGroup(t, Check{Timeout: 3 * second, Fall: 1}, client.Options{}, "http://"+silent.Addr().String())
	defer g.close()
	c := g.begin()
	g.loop.Advance(3*second - 2*time.Millisecond)
	if c.answer == nil {
		t.Errorf("the answer should be awaited for three seconds, and is not any more")
	}
	g.loop.Advance(2 * time.Millisecond)
	g.wantState(Out, "it has not answered in three seconds")
}

// TestOneCheckAtATime: an interval that is shorter than the timeout begins none beside the first.
func TestOneCheckAtATime(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	g := newCheckedGroup(t, Check{Timeout: 10 * second, Interval: 10 * second}, client.Options{}, "http://"+silent.Addr().String())
	defer g.close()
	overlaps := 0
	for range 20 {
		c := g.earliest()
		for c.answer != nil {
			g.loop.Advance(10 * time.Millisecond)
		}
		g.begin()
		first, begun := c.answer, g.loop.Now()
		if g.begin(); g.loop.Now()-begun > 9900*time.Millisecond {
			continue
		}
		overlaps++
		if c.answer != first {
			t.Errorf("a check that is in progress should go on when the next is due, and was given up")
		}
	}
	if overlaps == 0 {
		t.Errorf("of 20 intervals some should be shorter than the timeout")
	}
}

// TestACheckThatCannotConnectInTime is one that has failed too.
func TestACheckThatCannotConnectInTime(t *testing.T) {
	g := newCheckedGroup(t, Check{Timeout: second, Fall: 1}, client.Options{Resolver: silentResolver{}}, "http://upstream.example")
	defer g.client.Close()
	defer g.close()
	g.begin()
	g.loop.Advance(second)
	g.wantState(Out, "its name was not resolved in a second")
}

// silentResolver answers nothing.
type silentResolver struct{}

func (silentResolver) Resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestAMemberThatRefusesIsOut, also when that is known at once.
func TestAMemberThatRefusesIsOut(t *testing.T) {
	g := newCheckedGroup(t, Check{Fall: 2}, client.Options{}, "unix:"+filepath.Join(t.TempDir(), "nobody"))
	defer g.close()
	g.check()
	g.check()
	g.wantState(Out, "nobody listens")
}

// TestACheckWithoutAConnection says nothing of the upstream, since all that there may be are in use.
func TestACheckWithoutAConnection(t *testing.T) {
	s := newCheckedServer(t)
	defer close(s.hold)
	for _, policy := range []client.LimitPolicy{client.Refuse, client.Wait} {
		g := newCheckedGroup(t, Check{Fall: 1, Timeout: second}, client.Options{MaxConnections: 1, AtLimit: policy}, s.URL)
		request := g.members[0].upstream.Do(g.loop.Loop, &client.Request{Target: "/hold"})
		if _, err := request.Poll(g.earliest()); err != pipeline.ErrPending {
			t.Fatalf("the request that has the connection should wait for its answer, and ends with %v", err)
		}
		for len(s.heads) == 0 {
			g.loop.AwaitUpTo(time.Millisecond)
		}
		if head := <-s.heads; !strings.HasPrefix(head, "GET /hold ") {
			t.Fatalf("the request that has the connection should be there, and %s is", head)
		}
		c := g.begin()
		g.loop.Advance(second)
		if c.answer != nil {
			t.Errorf("policy %d: a check should end after its timeout, and is in progress still", policy)
		}
		g.wantState(In, "a pool that is full is no failure of the upstream")
		request.Close()
		g.close()
	}
}

func TestAClientThatIsClosedTakesNobodyOut(t *testing.T) {
	s := newCheckedServer(t)
	g := newCheckedGroup(t, Check{Fall: 1}, client.Options{}, s.URL)
	defer g.close()
	g.client.Close()
	g.check()
	g.wantState(In, "the client is closed, and nothing was learned of the upstream")
}

// TestChecksThatFindAllDown may be wrong themselves: the requests are balanced as if there were none.
func TestChecksThatFindAllDown(t *testing.T) {
	folder := t.TempDir()
	g := newCheckedGroup(t, Check{Fall: 1}, client.Options{}, "unix:"+filepath.Join(folder, "a"), "unix:"+filepath.Join(folder, "b"))
	defer g.close()
	for g.Stats()[0].State == In || g.Stats()[1].State == In {
		g.check()
	}
	for range 20 {
		target, err := g.Pick(nil, nil)
		if err != nil {
			t.Fatalf("a member should be tried although all are down; instead: %v", err)
		}
		target.Answered(200)
		target.Done(Outcome{Status: 200})
	}
	if a, b := g.Stats()[0], g.Stats()[1]; a.Requests != 10 || b.Requests != 10 || a.State != Out {
		t.Errorf("of 20 requests both members should get 10, and be out still; they are %+v and %+v", a, b)
	}
	if target, _ := g.Pick(nil, []*client.Upstream{g.members[0].upstream}); target.Upstream() != g.members[1].upstream {
		t.Errorf("a request that one has failed for should go to the other")
	}
}

func TestChecksVaryTheirIntervals(t *testing.T) {
	folder := t.TempDir()
	var firsts, intervals []time.Duration
	times := func(seed uint64) (times []time.Duration) {
		g := newCheckedGroup(t, Check{Interval: 10 * second, Seed: seed}, client.Options{}, "unix:"+filepath.Join(folder, "a"), "unix:"+filepath.Join(folder, "b"))
		defer g.close()
		first, second := g.checks.members[0], g.checks.members[1]
		if first.next == second.next || max(first.next, second.next) > 10*time.Second {
			t.Errorf("the first checks should come somewhere within the interval, and come after %v and %v", first.next, second.next)
		}
		firsts = append(firsts, first.next, second.next)
		for range 40 {
			before := g.earliest().next
			c := g.begin()
			times = append(times, before)
			intervals = append(intervals, c.next-before)
			if d := c.next - before; d < 8990*time.Millisecond || d > 11010*time.Millisecond {
				t.Errorf("an interval of 10 s should vary by a second, and is %v", d)
			}
		}
		return times
	}
	if a, b := times(7), times(7); !slices.Equal(a, b) {
		t.Errorf("with the same seed the checks should come at the same times, and come at\n%v and\n%v", a, b)
	}
	if a, b := times(7), times(8); slices.Equal(a, b) {
		t.Errorf("with another seed the checks should come at other times")
	}
	for seed := range uint64(10) {
		times(10 + seed)
	}
	if a, b := slices.Min(firsts), slices.Max(firsts); a > 2*time.Second || b < 8*time.Second {
		t.Errorf("28 first checks should be all over the interval of 10 s, and are from %v to %v", a, b)
	}
	if a, b := slices.Min(intervals), slices.Max(intervals); a > 9100*time.Millisecond || b < 10900*time.Millisecond {
		t.Errorf("560 intervals should be from about 9 to about 11 s, and are from %v to %v", a, b)
	}
}

func TestCloseEndsTheChecks(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	g := newCheckedGroup(t, Check{Fall: 1, Timeout: second, Interval: 5 * second}, client.Options{}, "http://"+silent.Addr().String())
	c := g.begin()
	g.loop.Advance(second)
	g.wantState(Out, "it has not answered")
	g.begin()
	if c.answer == nil {
		t.Fatalf("another check should be in progress")
	}
	g.Close()
	g.Close()
	g.loop.Settle()
	g.wantState(In, "what the checks have found is forgotten when they end")
	if held := g.loop.Held(); c.answer != nil || held != (loop.Held{}) {
		t.Errorf("the check in progress should be cancelled, and the loop hold nothing; it holds %+v", held)
	}
}

func TestChecksOfALoopThatHasStopped(t *testing.T) {
	g := newCheckedGroup(t, Check{Fall: 1}, client.Options{}, "unix:"+filepath.Join(t.TempDir(), "nobody"))
	g.check()
	g.wantState(Out, "nobody listens")
	g.loop.Abandon()
	g.Close()
	g.wantState(In, "the checks are ended, though their loop has stopped before")
	c, err := client.New(client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = NewGroup(c, []Member{{Address: "http://10.0.0.1"}}, GroupOptions{Check: &Check{Loop: g.loop.Loop}})
	if err == nil || !strings.Contains(err.Error(), "the checks cannot be started") {
		t.Errorf("a group whose checks are to run on a loop that has stopped should not be made; the error is %v", err)
	}
}

// TestChecksWithoutALoop run on one of the group, and end with it.
func TestChecksWithoutALoop(t *testing.T) {
	s := newCheckedServer(t)
	c, err := client.New(client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	g, err := NewGroup(c, []Member{{Address: s.URL}}, GroupOptions{Check: &Check{Interval: time.Millisecond, Timeout: second}})
	if err != nil {
		t.Fatalf("a group that makes a loop for its checks could not be made: %v", err)
	}
	for range 3 {
		if head := <-s.heads; !strings.HasPrefix(head, "GET / 127.0.0.1:") {
			t.Errorf("a check should be GET / for the upstream itself, and is %s", head)
		}
	}
	ended := g.checks.ended
	g.Close()
	select {
	case <-ended:
	default:
		t.Errorf("when Close returns the loop of the checks should have ended")
	}
}
