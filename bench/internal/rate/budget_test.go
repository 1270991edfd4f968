package rate

import (
	"testing"
	"time"
)

func TestRateBudget(t *testing.T) {
	start := time.Unix(1000, 0)
	budget := NewBudget(1000, start)
	steps := []struct {
		at       time.Duration
		take     int64
		expected int64
		why      string
	}{
		{10 * time.Millisecond, 0, 10, "a hundredth of a second earns a hundredth of the rate"},
		{30 * time.Millisecond, 0, 30, "what was not read is kept"},
		{40 * time.Millisecond, 40, 0, "what was read is gone"},
		{40 * time.Millisecond, 0, 0, "no time earns nothing"},
		{30 * time.Millisecond, 0, 0, "time going backwards earns nothing"},
		{10 * time.Second, 0, 100, "a long wait earns no more than a burst"},
		{20 * time.Second, 0, 100, "and a burst is the most there can be"},
		{20 * time.Second, 90, 10, "what was read is gone"},
		{20_000 * time.Hour, 0, 100, "a wait of years earns a burst, too"},
	}
	for _, step := range steps {
		budget.Refill(start.Add(step.at))
		budget.Bytes -= step.take
		if budget.Bytes != step.expected {
			t.Errorf("at %v the budget is %d bytes, expected %d: %s", step.at, budget.Bytes, step.expected, step.why)
		}
	}
}
