package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// What two runs always differ in, or what the comparison says elsewhere.
var expectedToDiffer = []string{"commit", "load_average", "peers", "only"}

// differences says what besides the commit differs between two runs, and so may be the reason for what
// the comparison finds.
func differences(old, changed *results) ([]string, error) {
	var sentences []string
	for _, pair := range [][2]any{{old.Machine, changed.Machine}, {old.Settings, changed.Settings}} {
		before, err := fieldsOf(pair[0])
		if err != nil {
			return nil, err
		}
		after, err := fieldsOf(pair[1])
		if err != nil {
			return nil, err
		}
		for _, name := range slices.Sorted(maps.Keys(after)) {
			if before[name] != after[name] && !slices.Contains(expectedToDiffer, name) {
				sentences = append(sentences, fmt.Sprintf("The runs are not alike: %s was %v and is %v.", name, before[name], after[name]))
			}
		}
	}
	for _, s := range changed.Servers {
		for _, earlier := range old.Servers {
			if earlier.Label == s.Label && earlier.Version != s.Version {
				sentences = append(sentences, fmt.Sprintf("The runs are not alike: %s was %s and is %s.", s.Label, earlier.Version, s.Version))
			}
		}
	}
	return sentences, nil
}

// fieldsOf returns the fields of a machine or of settings, as a file of results names them.
func fieldsOf(value any) (map[string]any, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("the circumstances of a run cannot be compared: %w", err)
	}
	fields := map[string]any{}
	if err := json.Unmarshal(text, &fields); err != nil {
		return nil, fmt.Errorf("the circumstances of a run cannot be compared: %w", err)
	}
	return fields, nil
}
