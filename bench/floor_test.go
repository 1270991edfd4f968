package main

import (
	"io"
	"os"
	"strings"
	"testing"
)

// TestFloorIsToldAnewForEachScenario prepares scenarios whose floors are told different things.
func TestFloorIsToldAnewForEachScenario(t *testing.T) {
	if _, err := findAB(); err != nil {
		t.Skip(err)
	}
	h, err := newHarness(t.Context(), tinySettings(t, "-only", "new-connection,fanout-100,json", "-peers", "floor"), io.Discard)
	if err != nil {
		t.Fatalf("no harness: %v", err)
	}
	defer h.close()
	expected := []struct {
		closes, asked bool
		answer        string
	}{{true, true, greeting}, {false, false, ""}, {false, true, string(askJSON.block)}}
	for i := range h.settings.scenarios {
		if err := h.prepareFloor(t.Context(), &h.settings.scenarios[i]); err != nil {
			t.Fatalf("%s: the floor is not prepared: %v", h.settings.scenarios[i].name, err)
		}
		answer := ""
		if h.floor.answerFile != "" {
			text, err := os.ReadFile(h.floor.answerFile)
			if err != nil {
				t.Fatalf("the floor's answer cannot be read: %v", err)
			}
			answer = string(text)
		}
		e := expected[i]
		if h.floor.threads < 1 || h.floor.closes != e.closes || (h.floor.requestLength > 0) != e.asked || !strings.HasSuffix(answer, e.answer) {
			t.Errorf("in %s the floor is told %+v and answers %q, expected %+v", h.settings.scenarios[i].name, h.floor, answer, e)
		}
	}
	expectNoChildren(t)
}

func TestStandInAnswerOfADownloadIsItsHead(t *testing.T) {
	answer := string(standInAnswer(askDownload))
	if !strings.HasSuffix(answer, "Content-Length: 67108864\r\n\r\n") {
		t.Errorf("the answer ends with %q, expected the length of 64 MiB and no body", answer[max(len(answer)-60, 0):])
	}
}
