package main

import (
	"bufio"
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestIdleStepsEndWithTheSettings(t *testing.T) {
	for most, expected := range map[int][]int{300: {300}, 5000: {1000, 5000}, 15000: {1000, 5000, 15000}, 20000: {1000, 5000, 15000, 20000}} {
		if got := idleSteps(most); !slices.Equal(got, expected) {
			t.Errorf("with %d connections the steps are %v, expected %v", most, got, expected)
		}
	}
}

// TestHolderIsAskedWhetherAllAreOpen holds the harness's side of the protocol.
func TestHolderIsAskedWhetherAllAreOpen(t *testing.T) {
	failed := errors.New("the server's memory cannot be read")
	tests := []struct {
		why, reports, complaint string
		fails                   error
	}{
		{"all stay open", "held 2\nheld 5\nopen 5\n", "", nil},
		{"one was closed", "held 2\nheld 5\nopen 4\n", `"open 4", expected "open 5"`, nil},
		{"too few", "held 2\nheld 4\n", `"held 4", expected "held 5"`, nil},
		{"an end too soon", "held 2\n", `expected "held 5"`, nil},
		{"a use that fails", "held 2\nheld 5\nopen 5\n", failed.Error(), failed},
	}
	for _, test := range tests {
		var commands strings.Builder
		err := converse(&commands, bufio.NewReader(strings.NewReader(test.reports)), func(hold func(int) error) error {
			for _, count := range []int{2, 5} {
				if err := hold(count); err != nil {
					return err
				}
			}
			return test.fails
		})
		if (err == nil) != (test.complaint == "") || err != nil && !strings.Contains(err.Error(), test.complaint) {
			t.Errorf("%s: the error is %v, expected one with %q", test.why, err, test.complaint)
		}
		if !strings.HasPrefix(commands.String(), "hold 2\nhold 5\n") {
			t.Errorf("%s: the commands are %q, expected more and more connections", test.why, commands.String())
		}
	}
}
