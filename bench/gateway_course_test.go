package main

import (
	"errors"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestCourseHasAMomentWhenItIsDue(t *testing.T) {
	const ms = time.Millisecond
	began := time.Unix(1000, 0)
	var c course
	read := 0
	resident := func() (float64, error) { read++; return float64(read << 20), nil }
	// Nothing could be counted between 520 and 1,130 ms, and of what was missed nothing is made up.
	for i, after := range []time.Duration{0, 20 * ms, 249 * ms, 250 * ms, 260 * ms, 520 * ms, 1130 * ms, 1150 * ms, 1249 * ms, 1250 * ms} {
		if err := c.add(began.Add(after), advance{in: int64(10 * i), out: int64(i), queued: 7}, resident); err != nil {
			t.Fatalf("the moment at %v gave the error %v, expected none", after, err)
		}
	}
	expected := []moment{
		{0, 0, 0, 7, 1 << 20}, {0.25, 30, 3, 7, 2 << 20}, {0.52, 50, 5, 7, 3 << 20}, {1.13, 60, 6, 7, 4 << 20}, {1.25, 90, 9, 7, 5 << 20},
	}
	if !reflect.DeepEqual(c.moments, expected) {
		t.Errorf("the course is %+v, expected %+v", c.moments, expected)
	}
}

func TestCourseOfAProcessThatEnded(t *testing.T) {
	var c course
	ended := errors.New("no such process")
	if err := c.add(time.Unix(0, 0), advance{}, func() (float64, error) { return 0, ended }); !errors.Is(err, ended) || len(c.moments) > 0 {
		t.Errorf("without its memory the error is %v with %d moments, expected that it is not known", err, len(c.moments))
	}
}

func TestCoursesAreTaken(t *testing.T) {
	courses := map[string][]moment{"one": {{Seconds: 1}}, "failed": {{Seconds: 2}}}
	r := scenarioResult{Servers: []serverResult{{Label: "one"}, {Label: "two"}}}
	r.takeCourses(courses)
	if len(r.Servers[0].Course) != 1 || r.Servers[1].Course != nil || len(courses) != 0 {
		t.Errorf("the servers are %+v and %d courses are left, expected each to have its own and none to be left", r.Servers, len(courses))
	}
}

func TestCourseIsStoredInALineForEachMoment(t *testing.T) {
	written := filepath.Join(t.TempDir(), "results.json")
	measures := map[string]summary{keyEchoSeconds: summarize([]float64{3})} // whose name is that of a field, too
	stored := &results{Scenarios: []scenarioResult{{
		Name: "s", Measures: []measure{measurePeak}, Servers: []serverResult{{Label: "one", Measures: measures, Course: steadyCourse()}},
	}}}
	if err := stored.write(written); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(readFile(t, written), "{ \"seconds\": "); lines != len(steadyCourse()) {
		t.Errorf("%d lines begin with a moment, expected one for each of %d", lines, len(steadyCourse()))
	}
	read, err := readResults(written)
	if err != nil || !reflect.DeepEqual(read.Scenarios[0].Servers, stored.Scenarios[0].Servers) {
		t.Errorf("what was stored is read as %+v with the error %v, expected the same again", read, err)
	}
}
