package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// The results whose figures README.md and that of the gateway show, and their places, relative to bench.
const (
	committedResults  = "results/latest.json"
	committedSoak     = "results/soak.json"
	committedGateway  = "results/gateway.json"
	readmePath        = "../README.md"
	gatewayReadmePath = "../examples/gateway/README.md"
)

// reportFiles says where a report is read from and written to.
type reportFiles struct {
	results   string
	folder    string // gets report.html and charts/
	readme    string // empty: these results are not those of a README.md
	ofGateway bool   // the README.md is that of the gateway
	soak      string // results of the soak for README.md, if there are any
}

// filesOf puts the report of results/latest.json beside it, and that of any other file in a folder of
// its name.
func filesOf(resultsPath string) reportFiles {
	path := filepath.Clean(resultsPath)
	if path == filepath.FromSlash(committedResults) {
		return reportFiles{results: path, folder: filepath.Dir(path), readme: readmePath, soak: committedSoak}
	}
	files := reportFiles{results: path, folder: strings.TrimSuffix(path, filepath.Ext(path))}
	if path == filepath.FromSlash(committedGateway) {
		files.readme, files.ofGateway = gatewayReadmePath, true
	}
	return files
}

// makeReport writes the report of a file of results, from nothing but the file: as Markdown to out, as
// report.html, as charts, and of results/latest.json and results/gateway.json the figures of a README.md.
func makeReport(resultsPath string, out io.Writer) error {
	return filesOf(resultsPath).write(out)
}

func (f reportFiles) write(out io.Writer) error {
	found, err := readResults(f.results)
	if err != nil {
		return err
	}
	writeReport(out, found)
	pages, err := found.pages()
	if err != nil {
		return err
	}
	if err := f.writeCharts(pages); err != nil {
		return err
	}
	if err := f.writeHTML(found, pages); err != nil {
		return err
	}
	switch {
	case f.readme == "":
		return nil
	case f.ofGateway:
		return writeReadme(f.readme, gatewayReadme(found, pages))
	}
	soak, err := readResults(f.soak)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return writeReadme(f.readme, readmeFigures(found, soak, pages))
}

// A page is what a report says of one scenario.
type page struct {
	Result *scenarioResult
	Charts []chart
}

func (r *results) pages() ([]page, error) {
	var pages []page
	for i := range r.Scenarios {
		charts, err := r.chartsOf(&r.Scenarios[i])
		if err != nil {
			return nil, err
		}
		pages = append(pages, page{&r.Scenarios[i], charts})
	}
	return pages, nil
}

// writeCharts writes each chart to a file, and removes those of earlier results: one that nothing draws
// any more would be taken for a figure of these.
func (f reportFiles) writeCharts(pages []page) error {
	folder := filepath.Join(f.folder, "charts")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("no folder for the charts: %w", err)
	}
	earlier, err := filepath.Glob(filepath.Join(folder, "*.svg"))
	if err != nil {
		return fmt.Errorf("the charts in %s cannot be listed: %w", folder, err)
	}
	for _, path := range earlier {
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("a chart of earlier results stays: %w", err)
		}
	}
	for _, p := range pages {
		for _, c := range p.Charts {
			if err := os.WriteFile(filepath.Join(folder, c.Name+".svg"), []byte(c.SVG), 0o644); err != nil {
				return fmt.Errorf("a chart cannot be stored: %w", err)
			}
		}
	}
	return nil
}

// readResults reads what results.write wrote. An error that wraps os.ErrNotExist says that there is no such
// file.
func readResults(path string) (*results, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("the results cannot be read: %w", err)
	}
	found := &results{}
	if err := json.Unmarshal(text, found); err != nil {
		return nil, fmt.Errorf("the file %s does not hold results: %w", path, err)
	}
	for _, s := range found.Scenarios {
		if len(s.Measures) == 0 {
			return nil, fmt.Errorf("the scenario %s in %s names none of its measures, expected their titles and units; "+
				"a file of an earlier version has to be measured anew", s.Name, path)
		}
	}
	return found, nil
}
