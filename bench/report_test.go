package main

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// madeUp is testdata/results.json: made-up figures of eight servers, with targets met and missed, ratios
// that say nothing, a server that failed, and one scenario of one round.
const madeUp = "testdata/results.json"

func readMadeUp(t *testing.T) *results {
	t.Helper()
	found, err := readResults(madeUp)
	if err != nil {
		t.Fatalf("the made-up results cannot be read: %v", err)
	}
	return found
}

func expectGolden(t *testing.T, path, text string) {
	t.Helper()
	golden, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("no golden file: %v", err)
	}
	if text != string(golden) {
		t.Errorf("the text differs from %s, expected the same:\n%s", path, text)
	}
}

func TestReportText(t *testing.T) {
	var report strings.Builder
	writeReport(&report, readMadeUp(t))
	expectGolden(t, "testdata/report.md", report.String())
}

func TestReportSaysWhatIsInconclusiveMissedAndFailed(t *testing.T) {
	var report strings.Builder
	writeReport(&report, readMadeUp(t))
	for _, expected := range []string{
		"| penstock / gnet | 0.90 (0.81–1.01) |  | inconclusive |",
		"| 1.02 (0.92–1.14) | ≤ 1.10 | met, but not in every round |",
		"| 1.41 (1.41–1.41) | ≤ 1.35 | missed |",
		"nethttp could not be measured: wrk saw 3 <errors>",
		"5 of 6 targets are met; missed in pipelined. Failed measurements: 1.",
	} {
		if !strings.Contains(report.String(), expected) {
			t.Errorf("the report does not say %q", expected)
		}
	}
}

// TestReportFiles makes a whole report from a copy of the file alone, twice: the second time over the
// first, with a chart that nothing draws any more.
func TestReportFiles(t *testing.T) {
	folder := t.TempDir()
	readme := filepath.Join(folder, "README.md")
	writeFile(t, readme, "above\n"+figuresBegin+"\nold\n"+figuresEnd+"\nbelow\n")
	files := reportFiles{results: madeUp, folder: folder, readme: readme, soak: filepath.Join(folder, "none.json")}
	if err := files.write(io.Discard); err != nil {
		t.Fatalf("the report was not made: %v", err)
	}
	stale := filepath.Join(folder, "charts", "stale.svg")
	writeFile(t, stale, "<svg/>")
	if err := files.write(io.Discard); err != nil {
		t.Fatalf("the report was not made a second time: %v", err)
	}
	if _, err := os.Stat(stale); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the chart of earlier results is still there (%v), expected it to be removed", err)
	}
	html := readFile(t, filepath.Join(folder, "report.html"))
	expectSelfContained(t, html)
	for _, name := range []string{"hello-requests-per-second", "hello-latency", "idle-memory", "fanout-cost"} {
		picture := readFile(t, filepath.Join(folder, "charts", name+".svg"))
		if !strings.Contains(html, picture) {
			t.Errorf("the chart %s is not in report.html", name)
		}
		if !strings.Contains(readFile(t, readme), "](bench/results/charts/"+name+".svg)") {
			t.Errorf("the chart %s is not in README.md", name)
		}
	}
	if text := readFile(t, readme); !strings.HasPrefix(text, "above\n"+figuresBegin) || !strings.HasSuffix(text, figuresEnd+"\nbelow\n") ||
		strings.Contains(text, "\nold\n") {
		t.Errorf("README.md has changed outside of its figures, or kept the old ones:\n%s", text)
	}
}

// expectSelfContained looks for whatever would make a browser load or run something.
func expectSelfContained(t *testing.T, html string) {
	t.Helper()
	// The name of the namespace is an address that nothing loads.
	html = strings.ReplaceAll(html, `xmlns="http://www.w3.org/2000/svg"`, "")
	if found := regexp.MustCompile(`(?i)<script|<link|<img|<iframe|\ssrc\s*=|@import|url\(|href\s*=\s*"[^#]|//[a-z]`).FindString(html); found != "" {
		t.Errorf("report.html has %q, expected nothing that it does not hold itself", found)
	}
	if !strings.Contains(html, "prefers-color-scheme: dark") {
		t.Errorf("report.html has no colours for a dark page")
	}
	if !strings.Contains(html, "wrk saw 3 &lt;errors&gt;") {
		t.Errorf("report.html does not hold the failure with its brackets escaped")
	}
}

func TestReportOfOtherResultsLeavesReadmeAlone(t *testing.T) {
	if files := filesOf("results/latest.json"); files.readme == "" || files.folder != "results" {
		t.Errorf("the report of results/latest.json goes to %+v, expected results and README.md", files)
	}
	if files := filesOf("results/try.json"); files.readme != "" || files.folder != filepath.Join("results", "try") {
		t.Errorf("the report of results/try.json goes to %+v, expected results/try and no README.md", files)
	}
}

func TestReadResultsRejects(t *testing.T) {
	for name, test := range map[string]struct{ text, expected string }{
		"no JSON":      {"nothing", "does not hold results"},
		"no measures":  {`{"scenarios":[{"name":"hello"}]}`, "names none of its measures"},
		"unknown unit": {`{"scenarios":[{"name":"hello","measures":[{"key":"k","unit":"cubits"}]}]}`, "cubits"},
	} {
		path := filepath.Join(t.TempDir(), "results.json")
		writeFile(t, path, test.text)
		if _, err := readResults(path); err == nil || !strings.Contains(err.Error(), test.expected) {
			t.Errorf("%s: the error is %v, expected one with %q", name, err, test.expected)
		}
	}
}

// TestCharts holds every chart against what it must show: the SVG is well-formed, names each server and has
// the unit of its values.
func TestCharts(t *testing.T) {
	found := readMadeUp(t)
	pages, err := found.pages()
	if err != nil {
		t.Fatalf("the charts were not drawn: %v", err)
	}
	seen := map[string]string{}
	for _, p := range pages {
		for _, c := range p.Charts {
			seen[c.Name] = textOf(t, c)
			for _, server := range p.Result.Servers {
				if !strings.Contains(seen[c.Name], server.Label) {
					t.Errorf("the chart %s does not name %s", c.Name, server.Label)
				}
			}
		}
	}
	for name, expected := range map[string][]string{
		"hello-cpu-microseconds-per-request": {"per request, µs", "5.50 µs", "floor 5.40 µs", "(less is better)"},
		"hello-requests-per-second":          {"requests per second", "170,000", "(more is better)"},
		"hello-latency":                      {"latency, ms", "50 %", "99.9 %"},
		"idle-memory":                        {"memory of the server, MiB", "connections held", "15,000"},
		"fanout-cost":                        {"per delivery, µs", "subscribers (logarithmic)", "10,000", "nethttp"},
	} {
		for _, words := range expected {
			if !strings.Contains(seen[name], words) {
				t.Errorf("the chart %s does not say %q, only:\n%s", name, words, seen[name])
			}
		}
	}
	if _, drawn := seen["pipelined-latency"]; drawn {
		t.Errorf("the latencies of pipelined are drawn, expected no chart where none was measured")
	}
}

// textOf returns what an SVG has written in it, but for its title.
func textOf(t *testing.T, c chart) string {
	t.Helper()
	var text strings.Builder
	inTitle := false
	decoder := xml.NewDecoder(strings.NewReader(c.SVG))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return text.String()
		}
		if err != nil {
			t.Fatalf("the chart %s is not well-formed XML: %v", c.Name, err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			inTitle = token.Name.Local == "title"
		case xml.EndElement:
			inTitle = false
		case xml.CharData:
			if words := strings.TrimSpace(string(token)); words != "" && !inTitle {
				text.WriteString(words + "\n")
			}
		}
	}
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatalf("a file of the test cannot be written: %v", err)
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("an expected file is not there: %v", err)
	}
	return string(text)
}
