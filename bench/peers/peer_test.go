package peers

import (
	"bufio"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A peer is a server under test: the folder of its program, and what that can do.
type peer struct {
	name       string
	folder     string // where it is not named as the peer
	serves     bool   // the whole service
	router     bool   // and the routes of GitHub's API
	downloads  bool
	publishes  bool
	large      []string // arguments for large request bodies
	needs      string   // a program that must be installed
	sends      []string // fields in its answers that the others' do not have
	beforehand bool     // it announces its address before it listens
	forwards   bool     // it can be a gateway
	onlyThat   bool     // and it can be nothing else
}

var peers = []peer{
	{name: "penstock", serves: true, router: true, downloads: true},
	{name: "penstock hello", folder: "../../examples/hello"},
	{name: "penstock live", folder: "../../examples/live", publishes: true},
	{name: "penstock gateway", folder: "../../examples/gateway", forwards: true, onlyThat: true, sends: []string{"Via", "X-Request-Id"}},
	{name: "nethttp", serves: true, router: true, downloads: true, publishes: true, forwards: true},
	{name: "fasthttp", serves: true, router: true, downloads: true, publishes: true},
	{name: "gnet", serves: true, downloads: true},
	{name: "nbio", serves: true, router: true, downloads: true},
	{name: "hertz", serves: true, router: true, downloads: true, publishes: true, large: []string{"-large"}},
	{name: "nginx", downloads: true, needs: "nginx", sends: []string{"Connection"}, beforehand: true, forwards: true},
}

// patience is how long a program may take to start, and an answer to come.
const patience = 60 * time.Second

// build builds the program, and skips the test when it cannot be here.
func (p *peer) build(t *testing.T) (program string) {
	t.Helper()
	if p.needs != "" {
		if _, err := exec.LookPath(p.needs); err != nil {
			t.Skipf("%s cannot be tested here: %v", p.name, err)
		}
	}
	program = filepath.Join(t.TempDir(), "peer")
	build := exec.Command("go", "build", "-o", program, ".")
	build.Dir = p.folder
	if p.folder == "" {
		build.Dir = p.name
	}
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%s does not build: %v\n%s", p.name, err, output)
	}
	return program
}

// start runs the program until the test ends and returns its address.
func (p *peer) start(t *testing.T, program string, arguments ...string) (address string) {
	t.Helper()
	address = freeAddress(t)
	if p.beforehand {
		arguments = append(arguments, "-folder", filepath.Join(t.TempDir(), "files"))
	}
	startProgram(t, address, exec.Command(program, append([]string{"-addr", address}, arguments...)...))
	if p.beforehand {
		waitForListener(t, address)
	}
	return address
}

// startProgram runs the program until the test ends, and returns when it has announced its address.
func startProgram(t *testing.T, address string, command *exec.Cmd) {
	t.Helper()
	command.Stderr = os.Stderr
	// A group of its own, so that its child processes are stopped with it.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatalf("%s cannot be started: %v", command.Path, err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL) // it may have ended
		_ = command.Wait()
	})
	impatience := time.AfterFunc(patience, func() { output.Close() })
	defer impatience.Stop()
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil || !strings.Contains(line, "http://"+address) {
		t.Fatalf("%s printed %q (%v), expected a line with http://%s", command.Path, line, err, address)
	}
}

// waitForListener connects until that is not refused.
func waitForListener(t *testing.T, address string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	retry := time.NewTicker(10 * time.Millisecond)
	defer retry.Stop()
	for {
		connection, err := net.Dial("tcp4", address)
		if err == nil {
			connection.Close()
			return
		}
		if !errors.Is(err, syscall.ECONNREFUSED) {
			t.Fatalf("no connection: %v", err)
		}
		select {
		case <-retry.C:
		case <-ctx.Done():
			t.Fatal("the server does not listen, expected it to soon after its announcement")
		}
	}
}

// freeAddress returns one of the loopback interface that nobody listens on just now.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("no free port: %v", err)
	}
	defer listener.Close()
	return listener.Addr().String()
}
