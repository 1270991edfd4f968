package main

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/penstock-go/penstock/examples/internal/program/programtest"
	"github.com/penstock-go/penstock/server"
)

// asProgram, when set, has the test binary be the program.
const asProgram = "PENSTOCK_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// start runs the program in a process of its own, and returns where it listens. stop ends it
// with SIGTERM and returns what it has logged.
func start(t *testing.T, arguments ...string) (base string, stop func() string) {
	t.Helper()
	command := exec.Command(os.Args[0], append([]string{"-addr", "127.0.0.1:0"}, arguments...)...)
	command.Env = append(os.Environ(), asProgram+"=1")
	var log bytes.Buffer
	command.Stderr = &log
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Process.Kill() }) // it has ended, unless the test has failed before
	line, err := bufio.NewReader(out).ReadString('\n')
	base, found := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if err != nil || !found {
		t.Fatalf("the program should print where it listens, and printed %q, error %v", line, err)
	}
	return base, func() string {
		t.Helper()
		if err := command.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if err := command.Wait(); err != nil {
			t.Errorf("on SIGTERM the program should end with status 0, and ended with %v:\n%s", err, log.String())
		}
		return log.String()
	}
}

// The program ends while an export is under way: that comes to its end first, and what was stored
// is there when the program is started again.
func TestProgramEndsOnSIGTERMAndKeepsItsItems(t *testing.T) {
	file := filepath.Join(t.TempDir(), "it ems?%41#.db")
	kept, err := openStore(file)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, kept, exportedAtTheEnd)
	if err := kept.Close(); err != nil {
		t.Fatal(err)
	}
	base, stop := start(t, "-database", file)
	resp, err := http.Post(base+"/items", jsonType, strings.NewReader(`{"name":"Nut","price":12}`))
	if err != nil || resp.StatusCode != 201 {
		t.Fatalf("a new item should be answered 201, and was %v, error %v", resp, err)
	}
	resp.Body.Close()
	at := resp.Header.Get("Location")
	export, err := http.Get(base + "/items.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	defer export.Body.Close()
	exported := make(chan int, 1)
	go func() {
		body, err := io.ReadAll(export.Body)
		if err != nil {
			t.Errorf("the export that was under way should come to its end, and failed: %v", err)
		}
		exported <- bytes.Count(body, []byte("\n"))
	}()
	log := stop()
	if got := <-exported; got != exportedAtTheEnd+1 {
		t.Errorf("the export that was under way should be whole, with %d items, and has %d", exportedAtTheEnd+1, got)
	}
	for _, part := range []string{`"msg":"request","method":"POST","target":"/items"`, `"method":"GET","target":"/items.ndjson"`, `"request_id":"`} {
		if !strings.Contains(log, part) {
			t.Errorf("the log should have been written to its end, with %s in it, and is\n%s", part, log)
		}
	}
	entries, err := os.ReadDir(filepath.Dir(file))
	if err != nil || len(entries) != 1 {
		t.Errorf("the database should be closed, so that its file is all that is left, and there are %v (%v)", entries, err)
	}
	base, stop = start(t, "-database", file)
	if resp, body := programtest.Do(t, "GET", base+at, ""); resp.StatusCode != 200 || !strings.Contains(body, `"name":"Nut","price":12`) {
		t.Errorf("the item should be there again, and was answered %d %s", resp.StatusCode, body)
	}
	stop()
}

func TestProgramWithoutADatabaseLeavesNothing(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	base, stop := start(t)
	if resp, _ := programtest.Do(t, "GET", base+"/items", ""); resp.StatusCode != 200 {
		t.Errorf("the program should have a database of its own, and answered %d", resp.StatusCode)
	}
	stop()
	if entries, err := os.ReadDir(folder); err != nil || len(entries) != 0 {
		t.Errorf("nothing should be left of it, and there is %v (%v)", entries, err)
	}
}

func TestProgramSaysWhyTheDatabaseCannotBeOpened(t *testing.T) {
	folder := t.TempDir()
	text := filepath.Join(folder, "text")
	if err := os.WriteFile(text, []byte(strings.Repeat("This is no database. ", 100)), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{text, filepath.Join(folder, "missing", "items.db"), folder} {
		_, _, err := open(file, io.Discard, server.Options{})
		if err == nil || !strings.Contains(err.Error(), "the database "+file+" could not be opened") {
			t.Errorf("a database that cannot be opened should be an error that names it, and is %v", err)
		}
	}
	if content, err := os.ReadFile(text); err != nil || !strings.HasPrefix(string(content), "This is no database.") {
		t.Errorf("a file that is no database should be left alone, and is %.40q (%v)", content, err)
	}
}
