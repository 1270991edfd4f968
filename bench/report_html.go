package main

import (
	_ "embed"
	"fmt"
	"html/template"
	"os"
	"path/filepath"
)

//go:embed report.html.tmpl
var reportTemplate string

// reportPage is what report.html.tmpl shows.
type reportPage struct {
	Circumstances []string
	Outcome       string
	AboutVerdicts string
	Settings      settings
	Servers       []serverVersion
	Scenarios     []scenarioPage
}

type scenarioPage struct {
	Name        string
	Title       string
	Figures     table
	Comparisons table
	Charts      []template.HTML
	Failures    []string
}

// writeHTML writes report.html, which refers to no other file.
func (f reportFiles) writeHTML(r *results, pages []page) (err error) {
	parsed, err := template.New("report").Parse(reportTemplate)
	if err != nil {
		return fmt.Errorf("the template of report.html is wrong: %w", err)
	}
	file, err := os.Create(filepath.Join(f.folder, "report.html"))
	if err != nil {
		return fmt.Errorf("the report cannot be stored: %w", err)
	}
	defer func() {
		if closeErr := file.Close(); err == nil && closeErr != nil {
			err = fmt.Errorf("the report cannot be stored: %w", closeErr)
		}
	}()
	if err := parsed.Execute(file, htmlPage(r, pages)); err != nil {
		return fmt.Errorf("the report cannot be written: %w", err)
	}
	return nil
}

func htmlPage(r *results, pages []page) reportPage {
	shown := reportPage{
		Circumstances: r.circumstances(), Outcome: r.outcome(), AboutVerdicts: aboutVerdicts, Settings: r.Settings, Servers: r.Servers,
	}
	for _, p := range pages {
		scenario := scenarioPage{
			Name: p.Result.Name, Title: p.Result.Title, Figures: p.Result.figures(), Comparisons: p.Result.comparisons(),
		}
		for _, c := range p.Charts {
			// encodeChart has escaped every text in it.
			scenario.Charts = append(scenario.Charts, template.HTML(c.SVG))
		}
		for _, failed := range p.Result.Failures {
			scenario.Failures = append(scenario.Failures, failed.sentence())
		}
		shown.Scenarios = append(shown.Scenarios, scenario)
	}
	return shown
}
