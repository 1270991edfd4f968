package program

import (
	"bufio"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/penstock-go/penstock/server"
)

// asProgram, when set, has the test binary be an example program.
const asProgram = "PENSTOCK_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		Main(func(*server.Request) server.Response { return server.Empty(204) }, server.Options{})
		return
	}
	os.Exit(m.Run())
}

func start(t *testing.T, arguments ...string) (*exec.Cmd, *bufio.Reader) {
	t.Helper()
	cmd := exec.Command(os.Args[0], arguments...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, bufio.NewReader(out)
}

func TestProgramEndsCleanlyOnASignal(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		cmd, out := start(t, "-addr", "127.0.0.1:0")
		line, err := out.ReadString('\n')
		if err != nil || !strings.HasPrefix(line, "listening on http://127.0.0.1:") {
			t.Errorf("the program should print where it listens, and printed %q, error %v", line, err)
		}
		if err := cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("on %v the program should end with status 0, and ended with %v", signal, err)
		}
	}
}

func TestProgramSaysWhyItCannotListen(t *testing.T) {
	cmd, _ := start(t, "-addr", "127.0.0.1:port")
	if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("an address that does not exist should end the program with status 1, and gave %v", err)
	}
}
