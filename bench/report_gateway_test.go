package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestGatewayReadmeShowsTheCommittedResults fails when a figure of the gateway's README was written by hand.
func TestGatewayReadmeShowsTheCommittedResults(t *testing.T) {
	found, err := readResults(committedGateway)
	if err != nil {
		t.Fatalf("the committed results of the gateway cannot be read: %v", err)
	}
	pages, err := found.pages()
	if err != nil {
		t.Fatalf("the charts were not drawn: %v", err)
	}
	_, shown, _, err := splitReadme(readFile(t, gatewayReadmePath))
	if err != nil {
		t.Fatal(err)
	}
	if expected := gatewayReadme(found, pages); shown != expected {
		t.Errorf("the figures of %s are not those of %s, expected what go run . -report %s writes:\n%s",
			gatewayReadmePath, committedGateway, committedGateway, expected)
	}
	for _, path := range regexp.MustCompile(`\(\.\./\.\./bench/([^)]*)\)`).FindAllStringSubmatch(shown, -1) {
		if _, err := os.Stat(path[1]); err != nil {
			t.Errorf("the gateway's README refers to a file that is not there: %v", err)
		}
	}
}

func TestGatewayReportGoesToItsReadme(t *testing.T) {
	if files := filesOf(committedGateway); files.readme != gatewayReadmePath || files.folder != filepath.Join("results", "gateway") {
		t.Errorf("the report of %s goes to %+v, expected results/gateway and the gateway's README.md", committedGateway, files)
	}
	folder := t.TempDir()
	found := &results{Settings: settings{Only: "proxy-slow-readers", Peers: "penstock", Seconds: 76, Readers: 200}, Scenarios: []scenarioResult{{
		Name: "proxy-slow-readers", Title: "readers", Measures: []measure{measurePeak}, Failures: []failure{{"nginx", "it failed"}},
		Servers: []serverResult{{
			Label: "penstock", Kind: penstockName, Course: steadyCourse(),
			Measures: map[string]summary{keyPeakMemory: summarize([]float64{31 << 20})},
		}},
	}}}
	written := filepath.Join(folder, "gateway.json")
	if err := found.write(written); err != nil {
		t.Fatal(err)
	}
	readme := filepath.Join(folder, "README.md")
	writeFile(t, readme, "above\n"+figuresBegin+"\n"+figuresEnd+"\nbelow\n")
	var report strings.Builder
	if err := (reportFiles{results: written, folder: folder, readme: readme, ofGateway: true}).write(&report); err != nil {
		t.Fatalf("the report was not made: %v", err)
	}
	text := readFile(t, readme)
	for _, expected := range []string{
		"go run . -only proxy-slow-readers -seconds 76 -peers penstock -results results/gateway.json", "31.0 MiB", "nginx could not be measured: it failed",
		"](../../bench/results/gateway/charts/proxy-slow-readers-course.svg)", "![fifty clients at 1 MB/s",
	} {
		if !strings.Contains(text, expected) {
			t.Errorf("the gateway's README does not say %q:\n%s", expected, text)
		}
	}
	if _, err := os.Stat(filepath.Join(folder, "charts", "proxy-slow-readers-course.svg")); err != nil {
		t.Errorf("the chart that the README shows is not there: %v", err)
	}
}
