package proxy

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/penstock-go/penstock/client"
	"github.com/penstock-go/penstock/server"
	"github.com/penstock-go/penstock/server/servertest"
)

// liveServer is a server that can be stopped and started again at the same address.
type liveServer struct {
	t       *testing.T
	address string
	server  *http.Server
	answers atomic.Int64
	served  chan struct{}
}

func newLiveServer(t *testing.T) *liveServer {
	s := &liveServer{t: t, address: "127.0.0.1:0"}
	s.start()
	t.Cleanup(s.stop)
	return s
}

func (s *liveServer) start() {
	s.t.Helper()
	listener, err := net.Listen("tcp", s.address)
	if err != nil {
		s.t.Fatalf("an upstream could not listen on %s: %v", s.address, err)
	}
	s.address = listener.Addr().String()
	s.server = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.answers.Add(1)
		fmt.Fprint(w, s.address)
	})}
	s.served = make(chan struct{})
	go func() {
		defer close(s.served)
		s.server.Serve(listener)
	}()
}

// stop refuses new connections, has requests in progress answered, and closes the rest.
func (s *liveServer) stop() {
	s.t.Helper()
	if err := s.server.Shutdown(context.Background()); err != nil {
		s.t.Errorf("the upstream %s could not be stopped: %v", s.address, err)
	}
	<-s.served
}

// loadClients is how many clients ask at a time.
const loadClients = 8

// load is clients that ask one after the other, until the test ends, and are never refused.
type load struct {
	t       *testing.T
	changed *sync.Cond // signalled with each answer
	failed  bool
}

func newLoad(t *testing.T, url string) *load {
	l := &load{t: t, changed: sync.NewCond(new(sync.Mutex))}
	transport := &http.Transport{MaxIdleConnsPerHost: loadClients}
	var wait sync.WaitGroup
	var over atomic.Bool
	for range loadClients {
		wait.Go(func() {
			for !over.Load() {
				err := ask(transport, url)
				l.changed.L.Lock()
				if err != nil {
					t.Errorf("no request should fail while two of three upstreams are there; one has: %v", err)
					l.failed = true
					over.Store(true)
				}
				l.changed.Broadcast()
				l.changed.L.Unlock()
			}
		})
	}
	t.Cleanup(func() { over.Store(true); wait.Wait(); transport.CloseIdleConnections() })
	return l
}

func ask(transport http.RoundTripper, url string) error {
	request, err := http.NewRequest("GET", url, nil)
	if err != nil {
		return err
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	switch {
	case err != nil || response.StatusCode == 200:
	default:
		err = fmt.Errorf("it was answered %s: %s", response.Status, body)
	}
	return err
}

// until lets the clients ask until done.
func (l *load) until(done func() bool) {
	l.t.Helper()
	l.changed.L.Lock()
	defer l.changed.L.Unlock()
	for !done() && !l.failed {
		l.changed.Wait()
	}
	if l.failed {
		l.t.FailNow()
	}
}

// TestAnUpstreamIsStoppedAndStartedUnderLoad: nobody notices, and it gets its share back.
func TestAnUpstreamIsStoppedAndStartedUnderLoad(t *testing.T) {
	c, err := client.New(client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	servers, members := make([]*liveServer, 3), make([]Member, 3)
	for i := range servers {
		servers[i] = newLiveServer(t)
		members[i].Address = "http://" + servers[i].address
	}
	logger := slog.New(slog.NewTextHandler(t.Output(), nil))
	g, err := NewGroup(c, members, GroupOptions{Balance: LeastPending(), Out: 100 * time.Millisecond, Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	address := servertest.Serve(t, New(g, Options{TryFor: 10 * second, Logger: logger}), server.Options{Loops: 2})
	clients := newLoad(t, "http://"+address+"/")
	more := func(n int64, of ...*liveServer) func() bool {
		goals := make([]int64, len(of))
		for i, s := range of {
			goals[i] = s.answers.Load() + n
		}
		return func() bool {
			for i, s := range of {
				if s.answers.Load() < goals[i] {
					return false
				}
			}
			return true
		}
	}
	for round := range 3 {
		clients.until(more(100, servers...))
		servers[round].stop()
		clients.until(func() bool { return g.Stats()[round].State != In })
		clients.until(more(100, servers[(round+1)%3], servers[(round+2)%3]))
		servers[round].start()
		clients.until(func() bool { return g.Stats()[round].State == In })
	}
	clients.until(more(200, servers...))
}
