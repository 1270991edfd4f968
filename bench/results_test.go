package main

import "testing"

func TestTargetsAndRatiosSayWhetherTheyAreConclusive(t *testing.T) {
	contenders, err := parseContenders("penstock,floor")
	if err != nil {
		t.Fatalf("the servers are not known: %v", err)
	}
	s := &scenario{
		name: "made up", measures: []measure{measureCPU},
		targets: []target{{key: keyCPU, against: floorName, bound: 1.10}, {key: keyCPU, bound: 5}},
	}
	found := func(penstock ...float64) scenarioResult {
		samples := map[string][]sample{}
		for _, value := range penstock {
			samples[penstockName] = append(samples[penstockName], sample{keyCPU: value})
			samples[floorName] = append(samples[floorName], sample{keyCPU: 1})
		}
		return evaluate(s, len(penstock), contenders, samples, nil)
	}
	tests := []struct {
		why                        string
		rounds                     []float64
		met, targetSays, ratioSays bool
	}{
		{"every round meets it, around 1", []float64{0.98, 1.02, 1.05}, true, true, false},
		{"every round misses it, well above 1", []float64{1.4, 1.5, 1.6}, false, true, true},
		{"one misses it", []float64{1.05, 1.08, 1.2}, true, false, false},
		{"one round", []float64{2}, false, false, false},
	}
	for _, test := range tests {
		result := found(test.rounds...)
		if len(result.Targets) != 2 || len(result.Ratios) != 1 || result.Rounds != len(test.rounds) {
			t.Fatalf("%s: the result is %+v, expected two targets and a ratio", test.why, result)
		}
		ratio, against := result.Ratios[0], result.Targets[1]
		if result.Targets[0].Reference != "" || against.Reference != floorName {
			t.Errorf("%s: the targets are %+v, expected the value's own first", test.why, result.Targets)
		}
		if against.Met != test.met || against.Conclusive != test.targetSays || ratio.Conclusive != test.ratioSays {
			t.Errorf("%s: the target is %+v and the ratio %+v, expected met %v, conclusive %v and %v",
				test.why, against, ratio, test.met, test.targetSays, test.ratioSays)
		}
	}
}

func TestTargetThatWantsAtLeast(t *testing.T) {
	wanted := target{key: keyRate, atLeast: true, bound: 0.9}
	for rate, met := range map[float64]bool{0.89: false, 0.9: true, 2: true} {
		if got := wanted.judge("", summarize([]float64{rate, rate})); got.Met != met || !got.Conclusive {
			t.Errorf("of %v the target of at least 0.9 is %+v, expected met %v and conclusive", rate, got, met)
		}
	}
}
