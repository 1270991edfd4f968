package peers

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/penstock-go/penstock/bench/internal/service"
)

const (
	floorRequest = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
	floorAnswer  = "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nHello, World!"
	floorHead    = "HTTP/1.1 200 OK\r\nContent-Length: 67108864\r\n\r\n"
)

// startFloor runs a floor that is told the answer, until the test ends, and returns a connection
// to it.
func startFloor(t *testing.T, source, answer string, options ...string) net.Conn {
	t.Helper()
	if _, err := exec.LookPath("cc"); err != nil {
		t.Skipf("the floors cannot be tested here: %v", err)
	}
	folder := t.TempDir()
	program, file := filepath.Join(folder, "floor"), filepath.Join(folder, "answer")
	if output, err := exec.Command("cc", "-O2", "-Wall", "-Wextra", "-Werror", "-pthread", "-o", program, source).CombinedOutput(); err != nil {
		t.Fatalf("%s does not build: %v\n%s", source, err, output)
	}
	if err := os.WriteFile(file, []byte(answer), 0o600); err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	_, port, _ := net.SplitHostPort(address)
	arguments := append([]string{port, file, strconv.Itoa(len(floorRequest)), "2"}, options...)
	startProgram(t, address, exec.Command(program, arguments...))
	p := peer{name: source}
	return p.dial(t, address).Conn
}

// TestFloorAnswersPipelinedRequests sends them in pieces that end in the midst of one.
func TestFloorAnswersPipelinedRequests(t *testing.T) {
	connection := startFloor(t, "../floor/floor.c", floorAnswer)
	requests := strings.Repeat(floorRequest, 16)
	for _, piece := range []string{requests[:50], requests[50:51], requests[51:]} {
		if _, err := io.WriteString(connection, piece); err != nil {
			t.Fatal(err)
		}
	}
	answers := make([]byte, 16*len(floorAnswer))
	if n, err := io.ReadFull(connection, answers); err != nil || string(answers) != strings.Repeat(floorAnswer, 16) {
		t.Errorf("the answers are %q and %v, expected 16 times the same", answers[:n], err)
	}
}

func TestFloorClosesAfterItsAnswer(t *testing.T) {
	connection := startFloor(t, "../floor/floor.c", floorAnswer, "close")
	if _, err := io.WriteString(connection, floorRequest); err != nil {
		t.Fatal(err)
	}
	if answer, err := io.ReadAll(connection); err != nil || string(answer) != floorAnswer {
		t.Errorf("the answer is %q and %v, expected one and the end of the connection", answer, err)
	}
}

func TestFloorOfDownloads(t *testing.T) {
	connection := startFloor(t, "../floor/download.c", floorHead)
	if _, err := io.WriteString(connection, strings.Repeat(floorRequest, 2)); err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(connection)
	for i := range 2 {
		head := make([]byte, len(floorHead))
		if _, err := io.ReadFull(reader, head); err != nil || !bytes.Equal(head, []byte(floorHead)) {
			t.Fatalf("head %d is %q and %v, expected %q", i+1, head, err, floorHead)
		}
		body := io.LimitReader(reader, service.DownloadLength)
		if err := expectSame(body, service.NewDownload(service.Block())); err != nil {
			t.Fatalf("body %d is not right: %v", i+1, err)
		}
	}
}
