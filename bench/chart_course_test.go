package main

import (
	"regexp"
	"strings"
	"testing"
)

func steadyCourse() []moment {
	var moments []moment
	for i := range 40 {
		at := int64(i) << 20
		moments = append(moments, moment{Seconds: float64(i) / 4, In: 12*at + 1<<20, Out: 12 * at, Resident: 30<<20 + at/40})
	}
	return moments
}

func TestCourseIsDrawn(t *testing.T) {
	found := &results{Settings: settings{Readers: 200}, Servers: []serverVersion{{Label: "gateway"}}}
	scenario := &scenarioResult{Name: "proxy-slow-readers", Servers: []serverResult{
		{Label: "other", Kind: nginxName, Course: steadyCourse()[:3]}, {Label: "gateway", Kind: penstockName, Course: steadyCourse()},
	}}
	charts, err := found.chartsOf(scenario)
	if err != nil || len(charts) != 1 {
		t.Fatalf("there are %d charts and the error %v, expected one of Penstock's gateway", len(charts), err)
	}
	drawn := charts[0]
	if drawn.Name != "proxy-slow-readers-course" {
		t.Errorf("the chart is called %s, expected the scenario's name and course", drawn.Name)
	}
	text := textOf(t, drawn)
	for _, expected := range []string{"fifty clients at 1 MB/s, 300 MB each", "bytes in and out, MiB", "memory, MiB", "time, s", "taken in", "given out", "resident"} {
		if !strings.Contains(text, expected) {
			t.Errorf("the chart does not say %q:\n%s", expected, text)
		}
	}
	if zeros := strings.Count("\n"+text, "\n0\n"); zeros != 4 {
		t.Errorf("the axes have %d marks of zero, expected all four to begin there:\n%s", zeros, text)
	}
	if expected := "within 10 s the gateway has taken in 469.0 MiB and given out 468.0 MiB. Its memory was never above 31.0 MiB."; !strings.Contains(drawn.Alt, expected) {
		t.Errorf("in words the chart is %q, expected %q in it", drawn.Alt, expected)
	}
}

// TestCourseIsReadableInGrey holds that the two lines differ in width and lightness, wherever they meet.
func TestCourseIsReadableInGrey(t *testing.T) {
	drawn, err := drawCourse("n", 7, steadyCourse())
	if err != nil {
		t.Fatalf("the chart was not drawn: %v", err)
	}
	if !strings.HasPrefix(drawn.Alt, "7 clients at 1 MB/s") {
		t.Errorf("of fewer readers the title is %q, expected their number", drawn.Alt)
	}
	below, above := strings.Index(drawn.SVG, "stroke:#A9BCD0"), strings.Index(drawn.SVG, "stroke:#0B4F8A")
	if below < 0 || above < below {
		t.Errorf("the pale line begins at %d and the dark one at %d, expected the dark one to be drawn over it", below, above)
	}
	// Both panels begin at the same place.
	var starts []string
	for _, style := range []string{"#A9BCD0", "#0B4F8A", "#1F2328"} {
		line := regexp.MustCompile(`d="M([0-9.]+),[^"]*L[^"]*" style="[^"]*stroke:` + style).FindStringSubmatch(drawn.SVG)
		if line == nil {
			t.Fatalf("no line is drawn with %s in:\n%s", style, drawn.SVG)
		}
		starts = append(starts, line[1])
	}
	if starts[0] != starts[1] || starts[1] != starts[2] {
		t.Errorf("the lines begin at %v, expected all at the same time and place", starts)
	}
}

func TestCourseThatIsTooShort(t *testing.T) {
	s := &scenarioResult{Servers: []serverResult{{Kind: penstockName, Course: steadyCourse()[:1]}, {Kind: nginxName, Course: steadyCourse()}}}
	if course := s.courseOf(penstockName); course != nil {
		t.Errorf("of one moment the course is %+v, expected none to draw", course)
	}
}
