package server_test

import (
	"os"
	"strings"
	"testing"
)

// What docs/handlers.md shows is what the examples run.
func TestHandlersGuideShowsTheExamples(t *testing.T) {
	guide, err := os.ReadFile("../docs/handlers.md")
	if err != nil {
		t.Fatal(err)
	}
	examples, err := os.ReadFile("example_handlers_test.go")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(guide), "```go\n")[1:]
	if len(blocks) != 4 {
		t.Errorf("the guide has %d blocks of code, 4 were expected", len(blocks))
	}
	for _, block := range blocks {
		code, _, _ := strings.Cut(block, "```")
		if !strings.Contains(string(examples), code) {
			t.Errorf("the guide shows code that is not in the examples:\n%s", code)
		}
	}
}
