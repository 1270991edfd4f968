package main

import (
	"errors"
	"os"
	"regexp"
	"testing"
)

// TestReadmeShowsTheCommittedResults fails when a figure of README.md was written by hand, or results were
// committed without it.
func TestReadmeShowsTheCommittedResults(t *testing.T) {
	found, err := readResults(committedResults)
	if err != nil {
		t.Fatalf("the committed results cannot be read: %v", err)
	}
	soak, err := readResults(committedSoak)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("the committed results of the soak cannot be read: %v", err)
	}
	pages, err := found.pages()
	if err != nil {
		t.Fatalf("the charts were not drawn: %v", err)
	}
	_, shown, _, err := splitReadme(readFile(t, readmePath))
	if err != nil {
		t.Fatal(err)
	}
	if expected := readmeFigures(found, soak, pages); shown != expected {
		t.Errorf("the figures of README.md are not those of %s, expected what go run . -report %s writes:\n%s",
			committedResults, committedResults, expected)
	}
	for _, path := range regexp.MustCompile(`\(bench/([^)]*)\)`).FindAllStringSubmatch(shown, -1) {
		if _, err := os.Stat(path[1]); err != nil {
			t.Errorf("README.md refers to a file that is not there: %v", err)
		}
	}
}

func TestReadmeFigures(t *testing.T) {
	found := readMadeUp(t)
	pages, err := found.pages()
	if err != nil {
		t.Fatalf("the charts were not drawn: %v", err)
	}
	expectGolden(t, "testdata/readme.md", readmeFigures(found, found, pages))
}

func TestSplitReadmeWantsBothLines(t *testing.T) {
	for _, text := range []string{"", figuresBegin + "\n", figuresEnd, figuresEnd + figuresBegin + "\n"} {
		if _, _, _, err := splitReadme(text); err == nil {
			t.Errorf("%q was split, expected an error: it lacks a line or has them in the wrong order", text)
		}
	}
}
