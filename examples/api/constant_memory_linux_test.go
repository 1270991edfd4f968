package main

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"testing"

	"github.com/penstock-go/penstock/examples/internal/program/programtest"
	"github.com/penstock-go/penstock/server"
)

const mostGrowth = 48 << 20 // bytes, while 52 MB of lines leave; the client is in this process too

// residentMemory returns the bytes of memory that the process has: the driver has its own, which
// the runtime does not count. See proc(5) on statm.
func residentMemory(t *testing.T) int64 {
	t.Helper()
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.ParseInt(string(bytes.Fields(statm)[1]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

// A million rows are exported, over a socket, in the memory of a few.
func TestAnExportTakesConstantMemory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "items.db")
	kept, err := openStore(file)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, kept, exportedAtOnce)
	if err := kept.Close(); err != nil {
		t.Fatal(err)
	}
	base, _ := programtest.StartOf(t, func() (*server.Server, func() error, error) {
		return open(file, io.Discard, server.Options{Loops: 1, Strict: true})
	})
	debug.FreeOSMemory() // what it took to fill the database
	before := residentMemory(t)
	resp, err := http.Get(base + "/items.ndjson") // with gzip, which the client decodes
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines, most := 0, before
	body := bufio.NewReader(resp.Body)
	for {
		_, err := body.ReadSlice('\n')
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("the export failed behind line %d: %v", lines, err)
		}
		if lines++; lines%10_000 == 0 {
			most = max(most, residentMemory(t))
		}
	}
	if lines != exportedAtOnce {
		t.Errorf("the export should have %d lines, and has %d", exportedAtOnce, lines)
	}
	t.Logf("while %d rows were exported the process grew by %.1f MiB", lines, float64(most-before)/(1<<20))
	if most-before > mostGrowth {
		t.Errorf("while %d rows were exported the process grew by %d bytes, at most %d were expected", lines, most-before, mostGrowth)
	}
}
