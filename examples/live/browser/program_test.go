package browser

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is how long anything may take that is waited for. It is no measure of how long
// it should take: a busy machine must not fail a test.
const patience = 30 * time.Second

// A program is the live program, or another example, in a process of its own. It may be stopped
// and started again, and then listens where it did and has the board that it had.
type program struct {
	t         *testing.T
	path      string
	arguments []string
	address   string // host:port; the port is 0 until the first start
	log       *os.File

	command *exec.Cmd     // nil while the program is stopped
	drained chan struct{} // closed when the process prints nothing more
}

// newProgram runs the live program with an empty board.
func newProgram(t *testing.T) *program {
	t.Helper()
	return newProgramOf(t, "..", "-board", filepath.Join(t.TempDir(), "board"))
}

// newProgramOf builds the program whose source is in a folder, starts it on a free port, and
// stops it when the test ends.
func newProgramOf(t *testing.T, source string, arguments ...string) *program {
	t.Helper()
	folder := t.TempDir()
	log, err := os.Create(filepath.Join(folder, "log"))
	if err != nil {
		t.Fatal(err)
	}
	p := &program{
		t:         t,
		path:      filepath.Join(folder, "program"),
		arguments: arguments,
		address:   "127.0.0.1:0",
		log:       log,
	}
	build := exec.Command("go", "build", "-o", p.path, ".")
	build.Dir = source // of the module of the framework, which this one does not depend on
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("the program cannot be built: %v\n%s", err, out)
	}
	t.Cleanup(func() {
		p.stop()
		log.Close()
	})
	p.start()
	return p
}

// start starts the process and returns when it listens.
func (p *program) start() {
	p.t.Helper()
	command := exec.Command(p.path, append([]string{"-addr", p.address}, p.arguments...)...)
	command.Stderr = p.log
	// A run of tests that is cut short must not leave the program behind.
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := command.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		p.t.Fatalf("the program cannot be started: %v", err)
	}
	p.command, p.drained = command, make(chan struct{})
	lines := bufio.NewReader(out)
	tooLate := time.AfterFunc(patience, func() { command.Process.Kill() })
	const listening = "listening on http://"
	line, err := lines.ReadString('\n')
	for err == nil && !strings.HasPrefix(line, listening) { // what it has to say besides
		line, err = lines.ReadString('\n')
	}
	tooLate.Stop()
	go func() {
		io.Copy(io.Discard, lines)
		close(p.drained)
	}()
	address, found := strings.CutPrefix(strings.TrimSpace(line), listening)
	if err != nil || !found {
		p.t.Fatalf("the program should print where it listens, and printed %q, error %v; its log:\n%s", line, err, p.logged())
	}
	p.address = address
}

// stop ends the process as a service manager would, and returns when it has ended. When it
// is stopped already, nothing happens.
func (p *program) stop() {
	p.t.Helper()
	if p.command == nil {
		return
	}
	command := p.command
	p.command = nil
	if err := command.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Errorf("the program should run until it is stopped, and cannot be sent SIGTERM: %v", err)
	}
	tooLate := time.AfterFunc(patience, func() { command.Process.Kill() })
	defer tooLate.Stop()
	<-p.drained
	if err := command.Wait(); err != nil {
		p.t.Errorf("on SIGTERM the program should end with status 0 within %v, and ended with %v; its log:\n%s", patience, err, p.logged())
	}
}

func (p *program) logged() string {
	text, err := os.ReadFile(p.log.Name())
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func (p *program) url(path string) string { return "http://" + p.address + path }

// publish sends messages to the board without a page, one after the other.
func (p *program) publish(texts ...string) {
	p.t.Helper()
	// A connection for each: one that was kept may end in a process that was stopped.
	client := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	for _, text := range texts {
		answer, err := client.Post(p.url("/publish"), "text/plain; charset=utf-8", strings.NewReader(text))
		if err != nil {
			p.t.Fatalf("the message %q cannot be published: %v", text, err)
		}
		body, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		if answer.StatusCode != http.StatusNoContent {
			p.t.Fatalf("the message %q should be answered 204, and was answered %s %q", text, answer.Status, body)
		}
	}
}
