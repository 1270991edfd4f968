package main

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func readReadme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// namesIn returns what the first column of the tables of a section of README.md names.
func namesIn(t *testing.T, readme, section string) (names []string) {
	t.Helper()
	_, rest, found := strings.Cut(readme, "\n### "+section+"\n")
	if !found {
		t.Fatalf("README.md has no section %q.", section)
	}
	content, _, _ := strings.Cut(rest, "\n#")
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(content, -1) {
		names = append(names, row[1])
	}
	return names
}

// tagsOf returns the names that the fields of a struct have in JSON.
func tagsOf(value any) (names []string) {
	structure := reflect.TypeOf(value)
	for i := range structure.NumField() {
		name, _, _ := strings.Cut(structure.Field(i).Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}

func TestReadmeNamesEveryField(t *testing.T) {
	readme := readReadme(t)
	for section, value := range map[string]any{
		"The whole file": config{}, "An upstream": upstreamConfig{}, "Its check": checkConfig{}, "A route": routeConfig{},
		"The counts": snapshot{}, "The counts of a server": serverCount{},
	} {
		if got, want := namesIn(t, readme, section), tagsOf(value); !slices.Equal(got, want) {
			t.Errorf("The section %q of README.md should describe the fields %q, and describes %q.", section, want, got)
		}
	}
}

// Whoever copies a configuration out of README.md has one that works.
func TestReadmeHasConfigurationsThatWork(t *testing.T) {
	found := regexp.MustCompile("(?s)```json\n(.*?)```").FindAllStringSubmatch(readReadme(t), -1)
	if len(found) != 2 {
		t.Fatalf("README.md should have two configurations, and has %d.", len(found))
	}
	for _, text := range found {
		if _, err := parseConfig([]byte(text[1]), os.Getenv); err != nil {
			t.Errorf("The configuration is refused with %v:\n%s", err, text[1])
		}
	}
}
